// A plain program that tests the binding against the real library: no framework, so that it runs wherever a runtime is.
//
// Usage: Tests.exe WORK LAYOUT SYMBOLS [NAME]    tests whose name has NAME, or all
//        Tests.exe WORK threads SECONDS          readers while one imports, for so long
//        Tests.exe WORK leave                    ends with an archive open and an import under way
//        Tests.exe WORK return                   what had a receipt then is there
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using Mailkeep;

/// <summary>A test: a static method without arguments.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class TestAttribute : Attribute { }

static class Tests
{
    /// <summary>Where tests write.</summary>
    public static string Work;

    /// <summary>What layout.py found in the header, and the list of functions of version 1.</summary>
    public static string Layout, Symbols;

    static int Main(string[] args)
    {
        Work = Path.GetFullPath(args[0]);
        if (args[1] == "threads") return Threads.Run(int.Parse(args[2])) ? 0 : 1;
        if (args[1] == "leave") return Leaving.Leave();
        if (args[1] == "return") return Leaving.Return();
        Layout = args[1];
        Symbols = args[2];
        int passed = 0, failed = 0;
        var tests = from type in typeof(Tests).Assembly.GetTypes()
                    from method in type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
                    where method.GetCustomAttribute<TestAttribute>() != null
                    where args.Length < 4 || method.Name.Contains(args[3])
                    orderby type.Name, method.Name
                    select method;
        foreach (var test in tests.ToList())
        {
            try
            {
                test.Invoke(null, null);
                passed++;
            }
            catch (TargetInvocationException e)
            {
                failed++;
                Console.Error.WriteLine($"FAILED {test.DeclaringType.Name}.{test.Name}: {e.InnerException}");
            }
        }
        Console.WriteLine($"{passed} passed, {failed} failed; {Runtime}");
        return failed == 0 && passed > 0 ? 0 : 1;
    }

    public static string Runtime =>
        Type.GetType("Mono.Runtime") != null ? "Mono " + Environment.Version : "CoreCLR " + Environment.Version;

    // Assertions.

    public static void Is<T>(T got, T want, string what = "")
    {
        if (!EqualityComparer<T>.Default.Equals(got, want)) throw new Exception($"{what}: got {got}, want {want}");
    }

    public static void True(bool holds, string what)
    {
        if (!holds) throw new Exception(what);
    }

    /// <summary>Exactly this exception is thrown.</summary>
    public static E Throws<E>(Action work) where E : Exception
    {
        try { work(); }
        catch (E e) when (e.GetType() == typeof(E)) { return e; }
        catch (Exception e) { throw new Exception($"threw {e.GetType().Name}, not {typeof(E).Name}: {e}"); }
        throw new Exception($"threw nothing, not {typeof(E).Name}");
    }

    public static void SameBytes(byte[] got, byte[] want, string what = "bytes") =>
        True(got.SequenceEqual(want), $"{what}: got {got.Length} bytes, want {want.Length} bytes, or others");

    // What most tests need.

    private static int folders;

    /// <summary>A name in the work folder that nothing has.</summary>
    public static string NewPath(string name) => Path.Combine(Work, $"{++folders}-{name}");

    /// <summary>An archive, its key in KEY beside it.</summary>
    public static Archive NewArchive(out string folder)
    {
        folder = NewPath("archive");
        using (var made = Archive.Create(folder, "anna"))
        {
            True(made.RecoveryKey.Length > 20, "a recovery key");
            File.WriteAllText(folder + ".key", made.KeyFile);
            return made.Commit();
        }
    }

    public static Archive NewArchive()
    {
        string folder;
        return NewArchive(out folder);
    }

    public static Archive Reopen(string folder) => Archive.Open(folder, Key.ReadFile(folder + ".key"));

    /// <summary>Collects what nobody refers to, and waits for its finalizers.</summary>
    public static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}

/// <summary>Receives each step at once, on the thread that makes it.</summary>
sealed class Follow : IProgress<Progress>
{
    private readonly Action<Progress> report;

    public Follow(Action<Progress> report) { this.report = report; }

    public void Report(Progress step) => report(step);
}
