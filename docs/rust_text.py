"""Rust text of what rustdoc's JSON says of types, generics and functions, for public_api.py.

Names of the standard library are shortened: those of the prelude to the name, others to their module and the name.
"""

import sys

STANDARD = ("std", "core", "alloc")
PRELUDE = (
    "AsMut", "AsRef", "Box", "Clone", "Copy", "Default", "DoubleEndedIterator", "Drop", "Eq", "ExactSizeIterator", "Extend", "Fn", "FnMut",
    "FnOnce", "From", "FromIterator", "Into", "IntoIterator", "Iterator", "Option", "Ord", "PartialEq", "PartialOrd", "Result", "Send",
    "Sized", "String", "Sync", "ToOwned", "ToString", "TryFrom", "TryInto", "Unpin", "Vec",
)  # fmt: skip
MODIFIERS = {"none": "", "maybe": "?", "maybe_const": "~const "}


def stop(why):
    sys.exit(f"public_api.py: {why}")


class Signatures:
    """Rust text of what rustdoc says of types, generics and functions; `foreign` gathers the items of dependencies that it names."""

    def __init__(self, names, crate):
        self.names, self.crate, self.foreign = names, crate, set()

    def name(self, number, written):
        """The path of an item, shortened if the standard library has it."""
        found = self.names.of(self.crate, number)
        summary = self.crate.paths.get(number)
        if found or summary is None:
            return found or written
        path = summary["path"]
        if path[0] in STANDARD:
            # Modules in between are private, or a path may leave them out, save `atomic`.
            short = "::".join(["std", *path[1:2], *(one for one in path[2:-1] if one == "atomic"), *path[2:][-1:]])
            # `io::Result` and `fmt::Result` are others than that of the prelude.
            return path[-1] if path[-1] in PRELUDE and (path[-1] != "Result" or path[1] == "result") else short
        if path[0] not in self.names.workspace.packages:
            self.foreign.add("::".join(path))
        return "::".join(path)

    def path(self, path):
        """A type or a trait with its arguments."""
        return self.name(path["id"], path["path"]) + self.arguments(path["args"])

    def arguments(self, arguments):
        if not arguments:
            return ""
        kind, inner = next(iter(arguments.items()))
        if kind == "parenthesized":
            return f"({self.types(inner['inputs'])}){self.output(inner['output'])}"
        texts = [self.argument(argument) for argument in inner["args"]]
        for constraint in inner["constraints"]:
            kind, binding = next(iter(constraint["binding"].items()))
            bound = f" = {self.argument(binding)}" if kind == "equality" else f": {self.bounds(binding)}"
            texts.append(constraint["name"] + self.arguments(constraint["args"]) + bound)
        return f"<{', '.join(texts)}>" if texts else ""

    def argument(self, argument):
        """A generic argument: a lifetime, a type or a constant."""
        kind, inner = next(iter(argument.items()))
        return self.type(inner) if kind == "type" else inner["expr"] if kind in ("const", "constant") else inner

    def types(self, types):
        return ", ".join(self.type(one) for one in types)

    def output(self, output):
        return f" -> {self.type(output)}" if output is not None else ""

    def type(self, said):
        """A type of any kind."""
        kind, inner = next(iter(said.items()))
        match kind:
            case "resolved_path":
                return self.path(inner)
            case "generic":
                return inner
            case "primitive":
                return {"never": "!", "unit": "()"}.get(inner, inner)
            case "tuple":
                return f"({self.types(inner)}{',' if len(inner) == 1 else ''})"
            case "slice":
                return f"[{self.type(inner)}]"
            case "array":
                return f"[{self.type(inner['type'])}; {inner['len']}]"
            case "borrowed_ref":
                to = self.type(inner["type"])
                to = f"({to})" if " + " in to and to.startswith(("dyn ", "impl ")) else to
                return f"&{inner['lifetime'] + ' ' if inner['lifetime'] else ''}{'mut ' if inner['is_mutable'] else ''}{to}"
            case "raw_pointer":
                return f"*{'mut' if inner['is_mutable'] else 'const'} {self.type(inner['type'])}"
            case "dyn_trait":
                bounds = [self.forall(one["generic_params"]) + self.path(one["trait"]) for one in inner["traits"]]
                return "dyn " + " + ".join(bounds + ([inner["lifetime"]] if inner["lifetime"] else []))
            case "impl_trait":
                return f"impl {self.bounds(inner)}"
            case "function_pointer":
                inputs = self.types(one for _, one in inner["sig"]["inputs"])
                head = self.forall(inner["generic_params"]) + self.header(inner["header"])
                return f"{head}fn({inputs}){self.output(inner['sig']['output'])}"
            case "qualified_path":
                of, trait = self.type(inner["self_type"]), inner["trait"]
                of = of if "generic" in inner["self_type"] or not trait else f"<{of} as {self.path(trait)}>"
                return f"{of}::{inner['name']}{self.arguments(inner['args'])}"
        return stop(f"a type is a `{kind}`, which this script does not know")

    def forall(self, parameters):
        return f"for<{', '.join(self.parameter(one) for one in parameters)}> " if parameters else ""

    def bounds(self, bounds):
        """What must hold of a type: traits and lifetimes."""
        texts = []
        for bound in bounds:
            kind, inner = next(iter(bound.items()))
            if kind == "trait_bound":
                texts.append(self.forall(inner["generic_params"]) + MODIFIERS[inner["modifier"]] + self.path(inner["trait"]))
            elif kind == "outlives":
                texts.append(inner)
            elif kind == "use":
                texts.append(f"use<{', '.join(next(iter(one.values())) for one in inner)}>")
            else:
                stop(f"a bound is a `{kind}`, which this script does not know")
        return " + ".join(texts)

    def parameter(self, parameter):
        """A generic parameter with its bounds and its default."""
        kind, inner = next(iter(parameter["kind"].items()))
        if kind == "lifetime":
            return parameter["name"] + (": " + " + ".join(inner["outlives"]) if inner["outlives"] else "")
        if kind == "const":
            return f"const {parameter['name']}: {self.type(inner['type'])}" + (f" = {inner['default']}" if inner["default"] else "")
        bounds = ": " + self.bounds(inner["bounds"]) if inner["bounds"] else ""
        return parameter["name"] + bounds + (f" = {self.type(inner['default'])}" if inner["default"] else "")

    def generics(self, generics):
        """(parameters, where clause), each empty if there is none."""
        shown = [one for one in generics["params"] if not next(iter(one["kind"].values())).get("is_synthetic")]
        clauses = []
        for predicate in generics["where_predicates"]:
            kind, inner = next(iter(predicate.items()))
            if kind == "bound_predicate":
                clauses.append(f"{self.forall(inner['generic_params'])}{self.type(inner['type'])}: {self.bounds(inner['bounds'])}")
            elif kind == "lifetime_predicate":
                clauses.append(f"{inner['lifetime']}: {' + '.join(inner['outlives'])}")
            else:
                stop(f"a where clause has a `{kind}`, which this script does not know")
        parameters = f"<{', '.join(self.parameter(one) for one in shown)}>" if shown else ""
        return parameters, " where " + ", ".join(clauses) if clauses else ""

    def header(self, header):
        """The words before `fn`."""
        words = [word for word in ("const", "async", "unsafe") if header[f"is_{word}"]]
        if header["abi"] != "Rust":
            words.append('extern "' + (header["abi"] if isinstance(header["abi"], str) else next(iter(header["abi"]))) + '"')
        return " ".join([*words, ""])

    def function(self, path, inner):
        """A function at a path, with the names of its arguments."""
        arguments = []
        for name, said in inner["sig"]["inputs"]:
            text = self.type(said)
            short = name == "self" and (text == "Self" or text.startswith("&") and text.endswith("Self"))
            arguments.append(text[: -len("Self")] + "self" if short else f"{name}: {text}")
        parameters, where = self.generics(inner["generics"])
        head, output = self.header(inner["header"]), self.output(inner["sig"]["output"])
        return f"{head}fn {path}{parameters}({', '.join(arguments)}){output}{where}"
