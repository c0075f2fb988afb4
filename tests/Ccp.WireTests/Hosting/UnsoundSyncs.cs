using System.ComponentModel;
using System.Diagnostics;

namespace Ccp.WireTests.Hosting;

/// <summary>Makes a native ccp's syncs slow, endless or failing, while it runs: <c>unsound_sync.c</c>, compiled here, stands before the C library's.</summary>
internal sealed class UnsoundSyncs : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ccp-syncs-").FullName;

    /// <summary>Skips the test where it cannot be done.</summary>
    public UnsoundSyncs()
    {
        try
        {
            Assert.SkipUnless(CcpUnderTest.IsNative, "Another C library call can be put before the executable's only.");
            Assert.SkipWhen(Compile() is null, "There is no clang to compile the syncs of this test with.");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>They do not come to their end.</summary>
    public bool AreStopped
    {
        set => Turn("stops", value);
    }

    /// <summary>One has been stopped.</summary>
    public bool IsOneStopped => File.Exists(Path.Combine(_folder, "waited-for"));

    /// <summary>Each takes 300 ms longer.</summary>
    public bool AreSlow
    {
        set => Turn("slow", value);
    }

    /// <summary>Each fails with EIO, as on a disk that is dying.</summary>
    public bool AreFailing
    {
        set => Turn("fails", value);
    }

    private string Library => Path.Combine(_folder, "unsound_sync.so");

    public void GiveTo(CcpSetup setup)
    {
        setup.Environment["LD_PRELOAD"] = Library;
        setup.Environment["UNSOUND_SYNC_FOLDER"] = _folder;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Turn(string what, bool isOn)
    {
        if (isOn)
        {
            File.Create(Path.Combine(_folder, what)).Dispose();
        }
        else
        {
            File.Delete(Path.Combine(_folder, what));
        }
    }

    /// <returns>Null without a compiler.</returns>
    private string? Compile()
    {
        var source = Path.Combine(AppContext.BaseDirectory, "unsound_sync.c");
        try
        {
            using var clang = Process.Start(new ProcessStartInfo("clang", ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", Library, source]) { RedirectStandardError = true })!;
            var said = clang.StandardError.ReadToEnd();
            clang.WaitForExit();
            Assert.True(clang.ExitCode == 0, said);
            return Library;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
