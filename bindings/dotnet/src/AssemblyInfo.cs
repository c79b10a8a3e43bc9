// What the compiler cannot take from a project file: mcs reads none.
using System.Reflection;

[assembly: AssemblyTitle("Mailkeep")]
[assembly: AssemblyVersion("0.2.0.0")]
[assembly: System.Runtime.Versioning.TargetFramework(".NETStandard,Version=v2.0", FrameworkDisplayName = "")]
