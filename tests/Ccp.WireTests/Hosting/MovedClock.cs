using System.Buffers.Binary;
using Ccp.Tests.Shared;

namespace Ccp.WireTests.Hosting;

/// <summary>Has the clock of a native ccp go ahead whenever a test moves its own: <c>moved_clock.c</c> stands before the C library's.</summary>
/// <remarks>Unlike the test's, it runs on between two moves.</remarks>
internal sealed class MovedClock : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ccp-clock-").FullName;
    private readonly ManualClock _clock;
    private readonly string _library;
    private readonly FileStream _file;
    private long _movedNanoseconds;

    public MovedClock(ManualClock clock)
    {
        _clock = clock;
        try
        {
            _library = Preloaded.Compile("moved_clock", _folder);
        }
        catch
        {
            Directory.Delete(_folder, recursive: true);
            throw;
        }

        _file = new FileStream(Path.Combine(_folder, "moved"), FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
        Move(TimeSpan.Zero);
        clock.Advanced += Move;
    }

    public void GiveTo(IDictionary<string, string?> environment)
    {
        environment["LD_PRELOAD"] = _library;
        environment["MOVED_CLOCK"] = _file.Name;
    }

    public void Dispose()
    {
        _clock.Advanced -= Move;
        _file.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void Move(TimeSpan by)
    {
        _movedNanoseconds += by.Ticks * TimeSpan.NanosecondsPerTick;
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, _movedNanoseconds);
        _file.Position = 0;
        _file.Write(bytes);
    }
}
