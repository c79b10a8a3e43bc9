// The native layer is that of the header: functions, constants, structs and fields.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using Mailkeep;
using static Tests;

static class Interface
{
    private const BindingFlags All = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private static readonly Assembly Binding = typeof(Archive).Assembly;
    private static readonly Type Native = Binding.GetType("Mailkeep.Native", true);

    [Test]
    static void EveryFunctionOfVersion1IsBound()
    {
        var bound = Native.GetMethods(All).Where(method => (method.Attributes & MethodAttributes.PinvokeImpl) != 0)
            .Select(method => method.Name).OrderBy(name => name, StringComparer.Ordinal).ToList();
        var symbols = File.ReadAllLines(Symbols);
        Is(string.Join(" ", bound.Except(symbols)), "", "bound, and not in the list");
        Is(string.Join(" ", symbols.Except(bound)), "", "in the list, and not bound");
    }

    [Test]
    static void ConstantsAreThoseOfTheHeader()
    {
        var ours = Native.GetFields(All).Where(field => field.IsLiteral && field.Name.StartsWith("MK_"))
            .ToDictionary(field => field.Name, field => Convert.ToInt64(field.GetRawConstantValue()));
        var theirs = Lines("constant").ToDictionary(words => words[1], words => long.Parse(words[2]));
        True(theirs.Count > 80, "constants of the header");
        Is(Differences(ours, theirs), "", "constants");
    }

    [Test]
    static void StructsAreThoseOfTheHeader()
    {
        var structs = Binding.GetTypes().Where(type => type.IsValueType && type.Name.StartsWith("mk_")).ToList();
        Is(Differences(structs.ToDictionary(type => type.Name, type => (long)Marshal.SizeOf(type)),
            Lines("struct").ToDictionary(words => words[1], words => long.Parse(words[2]))), "", "sizes");
        var ours = new Dictionary<string, long>();
        foreach (var type in structs)
            foreach (var field in type.GetFields(All))
                ours.Add(type.Name + "." + field.Name, (long)Marshal.OffsetOf(type, field.Name));
        Is(Differences(ours, Lines("field").ToDictionary(words => words[1], words => long.Parse(words[2]))), "", "offsets");
    }

    [Test]
    static void TheLibraryIsLoaded()
    {
        Is(Library.Abi, 1, "the version of the interface");
        Is(Binding.GetName().Version.ToString(3), Library.Version, "the version of the assembly");
        True(Library.Has("search") && !Library.Has("wishes"), "features");
        Throws<ArgumentNullException>(() => Library.Has(null));
        Is(string.Join("|", Library.FolderNames("anna/inbox")), "anna|inbox");
        Is(Throws<MailkeepException>(() => Library.FolderNames("")).Code, "misuse");
    }

    [Test]
    static void IdsAreReadAndPrinted()
    {
        var id = MessageId.Parse("1:42");
        Is(id.Store, 1);
        Is(id.Number, 42);
        Is(id.ToString(), "1:42");
        Is(id, new MessageId(id.Value));
        Is(new MessageId(ulong.MaxValue).ToString(), "4294967295:4294967295");
        Is(Throws<MailkeepException>(() => MessageId.Parse("42")).Code, "bad_argument");
        True(!MessageId.TryParse("", out id) && !MessageId.TryParse(null, out id) && !MessageId.TryParse("\ud800", out id), "no ids");
        True(MessageId.TryParse("7:8", out id) && id.CompareTo(MessageId.Parse("7:7")) > 0, "an id");
    }

    [Test]
    static void APanicOfTheLibraryIsAnException()
    {
        var panic = Native.GetMethod("mk_library_panic", All);
        var errors = Binding.GetType("Mailkeep.Errors", true);
        int status = (int)panic.Invoke(null, new[] { errors.GetProperty("Own", All).GetValue(null) });
        var check = errors.GetMethods(All).Single(method => method.Name == "Check");
        var thrown = (MailkeepException)Throws<TargetInvocationException>(() => check.Invoke(null, new object[] { status })).InnerException;
        Is(thrown.Code, "bug");
        Is(thrown.Status, -1);
        True(!thrown.IsRetryable && thrown.Json.Contains("\"bug\""), thrown.Json);
    }

    private static IEnumerable<string[]> Lines(string kind) =>
        File.ReadAllLines(Layout).Select(line => line.Split(' ')).Where(words => words[0] == kind);

    private static string Differences(Dictionary<string, long> ours, Dictionary<string, long> theirs)
    {
        var names = ours.Keys.Union(theirs.Keys).OrderBy(name => name, StringComparer.Ordinal);
        return string.Join(" ", names.Where(name => !ours.ContainsKey(name) || !theirs.ContainsKey(name) || ours[name] != theirs[name]));
    }
}
