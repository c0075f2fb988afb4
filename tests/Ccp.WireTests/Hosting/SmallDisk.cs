using System.Diagnostics;

namespace Ccp.WireTests.Hosting;

/// <summary>A filesystem of a test's own: it can be filled, and is gone with the test. Needs the right to mount; without it the test is skipped.</summary>
internal sealed class SmallDisk : IDisposable
{
    private const int MebiByte = 1024 * 1024;

    private readonly string _mountPoint = Directory.CreateTempSubdirectory("ccp-disk-").FullName;

    private SmallDisk(string options)
    {
        if (!Run("mount", "-t", "tmpfs", "-o", options, "tmpfs", _mountPoint))
        {
            Directory.Delete(_mountPoint);
            Assert.Skip("Only root may mount a disk of the test's own.");
        }
    }

    /// <summary>A directory on it, for a ccp.</summary>
    public string Home => Path.Combine(_mountPoint, "ccp");

    public static SmallDisk OfMebiBytes(int size) => new($"size={size}m");

    /// <summary>Leaves so much room and no more.</summary>
    public void Fill(int mebiBytesLeft)
    {
        using var ballast = new FileStream(Path.Combine(_mountPoint, "ballast"), FileMode.Append);
        var block = new byte[4096];
        while (new DriveInfo(_mountPoint).AvailableFreeSpace > (long)mebiBytesLeft * MebiByte)
        {
            ballast.Write(block);
            ballast.Flush();
        }
    }

    public void Clear() => File.Delete(Path.Combine(_mountPoint, "ballast"));

    /// <summary>As a failing disk is remounted by the kernel. Nobody may have a file of it open for writing.</summary>
    public void MakeReadOnly() => Assert.True(Run("mount", "-o", "remount,ro", _mountPoint));

    public void Dispose()
    {
        // Lazily: a test that failed may have left a file open, and the disk must go all the same.
        Run("umount", "-l", _mountPoint);
        Directory.Delete(_mountPoint);
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
