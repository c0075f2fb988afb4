using System.ComponentModel;
using System.Diagnostics;

namespace Ccp.WireTests.Hosting;

/// <summary>A few C functions that stand before the C library's in a native ccp, compiled here from a source beside the tests.</summary>
internal static class Preloaded
{
    /// <summary>Skips the test where there is no compiler, and fails it when the source does not compile.</summary>
    /// <param name="name">Of the source, without its <c>.c</c>.</param>
    /// <returns>The library, for <c>LD_PRELOAD</c>.</returns>
    public static string Compile(string name, string folder)
    {
        var library = Path.Combine(folder, name + ".so");
        var start = new ProcessStartInfo("clang", ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, Path.Combine(AppContext.BaseDirectory, name + ".c")])
        {
            RedirectStandardError = true,
        };
        try
        {
            using var clang = Process.Start(start)!;
            var said = clang.StandardError.ReadToEnd();
            clang.WaitForExit();
            Assert.True(clang.ExitCode == 0, said);
        }
        catch (Win32Exception)
        {
            Assert.Skip($"There is no clang to compile {name}.c with.");
        }

        return library;
    }
}
