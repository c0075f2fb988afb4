using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using Ccp.Configuration;
using Ccp.Ledger;
using Ccp.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ccp.Usage;

/// <summary>Writes <c>usage.jsonl</c>, one JSON object a line, off the path of the calls. Files are rotated by size and age.</summary>
/// <remarks>A log that cannot be written costs lines, never calls: the ledger does not depend on it.</remarks>
internal sealed class UsageLog : IAsyncDisposable
{
    public const string FileName = "usage.jsonl";

    private const int WaitingMax = 65_536;

    private static readonly TimeSpan GatherFor = TimeSpan.FromMilliseconds(100);

    private readonly Channel<ReadOnlyMemory<byte>> _waiting = Channel.CreateBounded<ReadOnlyMemory<byte>>(
        new BoundedChannelOptions(WaitingMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly LogsConfig _config;
    private readonly string _directory;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _writer;
    private long _dropped;
    private FileStream? _file;
    private DateTimeOffset _openedAt;

    public UsageLog(LogsConfig config, string directory, TimeProvider time, ILogger log)
    {
        _config = config;
        _directory = directory;
        _time = time;
        _log = log;
        _writer = Task.Run(WriteUntilClosedAsync);
    }

    public void WriteDecision(CallReport call) => Enqueue(json => UsageLine.WriteDecision(json, call, _time.GetUtcNow()));

    public void WriteCompletion(CallReport call) => Enqueue(json => UsageLine.WriteCompletion(json, call, _time.GetUtcNow()));

    /// <summary>For a call that recovery has charged, once that is on disk.</summary>
    /// <param name="user">The name of the hold's user.</param>
    public void WriteRecovered(HoldRow hold, string? user) => Enqueue(json => UsageLine.WriteRecovered(json, hold, user, _time.GetUtcNow()));

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _closing.CancelAsync();
        await _writer;
        _closing.Dispose();
        _file?.Dispose();
    }

    private void Enqueue(Action<Utf8JsonWriter> write)
    {
        var line = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(line))
        {
            write(json);
        }

        line.Write("\n"u8);
        if (!_waiting.Writer.TryWrite(line.WrittenMemory))
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    private async Task WriteUntilClosedAsync()
    {
        while (await _waiting.Reader.WaitToReadAsync())
        {
            try
            {
                while (_waiting.Reader.TryRead(out var line))
                {
                    OpenOrRotate(line.Length);
                    _file!.Write(line.Span);
                }

                _file?.Flush();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                _log.UsageLogFailed(error.Message);
                Abandon();
            }

            if (Interlocked.Exchange(ref _dropped, 0) is var dropped and > 0)
            {
                _log.UsageLogDropped(dropped);
            }

            await PauseAsync();
        }
    }

    /// <summary>Lets lines gather: waking a thread for each of them costs more than writing it.</summary>
    /// <remarks>On the real clock even in tests: nothing that ccp promises depends on this time.</remarks>
    private async Task PauseAsync()
    {
        try
        {
            await Task.Delay(GatherFor, _closing.Token);
        }
        catch (OperationCanceledException)
        {
            // Closing: what is left is written at once.
        }
    }

    /// <summary>Lets go of a file that cannot be written; closing it writes what is still buffered, and fails once more.</summary>
    private void Abandon()
    {
        try
        {
            _file?.Dispose();
        }
        catch (IOException)
        {
            // Said already.
        }

        _file = null;
    }

    private void OpenOrRotate(int next)
    {
        if (_file is not null && (_file.Length + next > _config.FileBytesMax || _time.GetUtcNow() - _openedAt >= _config.FileAgeMax))
        {
            _file.Dispose();
            _file = null;
            Rotate();
        }

        if (_file is not null)
        {
            return;
        }

        Directory.CreateDirectory(_directory);
        var path = Path.Combine(_directory, FileName);
        _openedAt = File.Exists(path) ? new DateTimeOffset(File.GetCreationTimeUtc(path), TimeSpan.Zero) : _time.GetUtcNow();
        var isTorn = EndsWithinLine(path);
        _file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 64 * 1024,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        if (isTorn)
        {
            _file.Write("\n"u8);
        }
    }

    /// <summary>A line that a kill or a full disk cut off must not take the next one with it.</summary>
    private static bool EndsWithinLine(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        Span<byte> last = stackalloc byte[1];
        return RandomAccess.GetLength(file) is > 0 and var length && RandomAccess.Read(file, last, length - 1) == 1 && last[0] != (byte)'\n';
    }

    /// <summary><c>usage.jsonl</c> becomes <c>usage.1.jsonl</c>, that one <c>usage.2.jsonl</c>, and the oldest goes.</summary>
    private void Rotate()
    {
        string PathOf(int age) => Path.Combine(_directory, age == 0 ? FileName : $"usage.{age}.jsonl");
        File.Delete(PathOf(_config.FilesMax - 1));
        for (var age = _config.FilesMax - 2; age >= 0; age--)
        {
            if (File.Exists(PathOf(age)))
            {
                File.Move(PathOf(age), PathOf(age + 1));
            }
        }
    }
}
