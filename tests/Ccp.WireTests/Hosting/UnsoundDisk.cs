namespace Ccp.WireTests.Hosting;

/// <summary>Makes a native ccp's syncs slow, endless or failing, or its store read-only, while it runs: <c>unsound_disk.c</c> stands before the C library's.</summary>
internal sealed class UnsoundDisk : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ccp-disk-").FullName;
    private readonly string _library;

    /// <summary>Skips the test where it cannot be done.</summary>
    public UnsoundDisk()
    {
        try
        {
            Assert.SkipUnless(CcpUnderTest.IsNative, "Another C library call can be put before the executable's only.");
            _library = Preloaded.Compile("unsound_disk", _folder);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Syncs do not come to their end.</summary>
    public bool SyncsAreStopped
    {
        set => Turn("stops", value);
    }

    /// <summary>One has been stopped.</summary>
    public bool IsSyncStopped => File.Exists(Path.Combine(_folder, "waited-for"));

    /// <summary>Each takes 300 ms longer.</summary>
    public bool SyncsAreSlow
    {
        set => Turn("slow", value);
    }

    /// <summary>Each fails with EIO, as on a disk that is dying.</summary>
    public bool SyncsAreFailing
    {
        set => Turn("fails", value);
    }

    /// <summary>No file of the store takes a write, as on a disk that the kernel has given up.</summary>
    public bool IsReadOnly
    {
        set => Turn("read-only", value);
    }

    public void GiveTo(CcpSetup setup)
    {
        setup.Environment["LD_PRELOAD"] = _library;
        setup.Environment["UNSOUND_DISK_FOLDER"] = _folder;
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
}
