// Points an assembly that was compiled against .NET Framework's reference assemblies at netstandard 2.0,
// and fails where it uses a type or member that netstandard or a later runtime does not have.
// Usage: Standardize.exe IN.dll OUT.dll NETSTANDARD_FACADE.dll CORECLR_FOLDER
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Mono.Cecil;

static class Standardize
{
    static readonly string[] Framework = { "mscorlib", "System", "System.Core" };
    static readonly byte[] Token = { 0xcc, 0x7b, 0x13, 0xff, 0xcd, 0x2d, 0xdd, 0x51 };

    static int Main(string[] args)
    {
        var resolver = new DefaultAssemblyResolver();
        foreach (var dir in resolver.GetSearchDirectories()) resolver.RemoveSearchDirectory(dir);
        resolver.AddSearchDirectory(args[3]);
        resolver.AddSearchDirectory(Path.GetDirectoryName(Path.GetFullPath(args[0])));
        var module = ModuleDefinition.ReadModule(args[0], new ReaderParameters { AssemblyResolver = resolver });
        var standard = new HashSet<string>(ModuleDefinition.ReadModule(args[2]).ExportedTypes.Select(t => t.FullName));
        int bad = 0;

        // The refs of types first: afterwards they all resolve through the facade of the runtime.
        var old = module.AssemblyReferences.Where(r => Framework.Contains(r.Name)).ToList();
        foreach (var t in module.GetTypeReferences())
            if (old.Any(r => r.Name == t.Scope.Name) && !standard.Contains(t.FullName))
            {
                Console.Error.WriteLine("not in netstandard: " + t.FullName);
                bad++;
            }
        if (old.Count > 0)
        {
            var first = old[0];
            first.Name = "netstandard";
            first.Version = new Version(2, 0, 0, 0);
            first.PublicKeyToken = Token;
            foreach (var t in module.GetTypeReferences().ToList())
                if (old.Skip(1).Any(r => r == t.Scope)) t.Scope = first;
            foreach (var r in old.Skip(1)) module.AssemblyReferences.Remove(r);
        }
        foreach (var m in module.GetMemberReferences())
        {
            bool found;
            try { found = m.Resolve() != null; }
            catch (AssemblyResolutionException e) { Console.Error.WriteLine(e.Message); found = false; }
            if (!found && !(m.DeclaringType is ArrayType))
            {
                Console.Error.WriteLine("no such member: " + m.FullName);
                bad++;
            }
        }
        if (bad > 0) return 1;
        module.Write(args[1]);
        return 0;
    }
}
