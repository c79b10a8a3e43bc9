#!/usr/bin/env python3
"""Writes a C program that prints every constant, struct and field of mailkeep.h, as the C compiler sees them.

Usage: layout.py HEADER > layout.c
"""

import re
import sys

header = open(sys.argv[1], encoding="utf-8").read()
code = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
print('#include <mailkeep.h>\n#include <stdio.h>\nint main(void) {')
for name in re.findall(r"^#define (MK_\w+) -?[0-9(]", code, re.M):
    print(f'    printf("constant {name} %lld\\n", (long long){name});')
for body, name in re.findall(r"typedef struct \{(.*?)\} (mk_\w+);", code, re.S):
    print(f'    printf("struct {name} %zu\\n", sizeof({name}));')
    for field in re.findall(r"(\w+)(?:\[\d+\])?;", body):
        size = f"sizeof((({name} *)0)->{field})"
        print(f'    printf("field {name}.{field} %zu %zu\\n", offsetof({name}, {field}), {size});')
print("    return 0;\n}")
