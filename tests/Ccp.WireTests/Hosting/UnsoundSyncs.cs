namespace Ccp.WireTests.Hosting;

/// <summary>Makes a native ccp's syncs slow, endless or failing, while it runs: <c>unsound_sync.c</c> stands before the C library's.</summary>
internal sealed class UnsoundSyncs : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ccp-syncs-").FullName;
    private readonly string _library;

    /// <summary>Skips the test where it cannot be done.</summary>
    public UnsoundSyncs()
    {
        try
        {
            Assert.SkipUnless(CcpUnderTest.IsNative, "Another C library call can be put before the executable's only.");
            _library = Preloaded.Compile("unsound_sync", _folder);
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

    public void GiveTo(CcpSetup setup)
    {
        setup.Environment["LD_PRELOAD"] = _library;
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
}
