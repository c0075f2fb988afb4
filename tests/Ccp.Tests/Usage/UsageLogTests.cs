using System.Text.Json;
using Ccp.Telemetry;
using Ccp.Tests.Configuration;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;
using Ccp.Usage;
using Microsoft.Extensions.Logging;

namespace Ccp.Tests.Usage;

public sealed class UsageLogTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ManualClock _clock = new();
    private readonly CountingLog _log = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_call_is_a_line_of_JSON_in_a_file_for_the_owner_alone()
    {
        await using (var usage = Open())
        {
            Write(usage, 100);
        }

        Assert.Equal(100, Ids("usage.jsonl").Distinct().Count());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["usage.jsonl"]));
    }

    [Fact]
    public async Task A_file_that_is_full_is_rotated_and_the_oldest_goes()
    {
        await using (var usage = Open(bytes: 1_000, files: 3))
        {
            Write(usage, 100);
        }

        Assert.Equal(["usage.1.jsonl", "usage.2.jsonl", "usage.jsonl"], Files());
        Assert.All(Files(), file => Assert.InRange(new FileInfo(_folder[file]).Length, 1, 1_000));

        // The newest lines, in order, none lost at a seam.
        var kept = Files().Order(StringComparer.Ordinal).SelectMany(file => Ids(file)).Order().ToList();
        Assert.Equal(Enumerable.Range(100 - kept.Count, kept.Count), kept);
        Assert.Equal(Ids("usage.1.jsonl")[^1] + 1, Ids("usage.jsonl")[0]);
    }

    [Fact]
    public async Task A_file_that_is_old_is_rotated_with_the_next_line()
    {
        await using (var usage = Open())
        {
            Write(usage, 1);
            await Waiting.UntilAsync(() => File.Exists(_folder["usage.jsonl"]) && Ids("usage.jsonl").Count == 1);
            _clock.Advance(TimeSpan.FromDays(2));
            Write(usage, 1, from: 1);
        }

        Assert.Equal([0], Ids("usage.1.jsonl"));
        Assert.Equal([1], Ids("usage.jsonl"));
    }

    [Fact]
    public async Task A_restart_goes_on_with_the_same_file()
    {
        await using (var usage = Open())
        {
            Write(usage, 1);
        }

        _clock.JumpTo(new DateTimeOffset(File.GetCreationTimeUtc(_folder["usage.jsonl"]), TimeSpan.Zero));
        await using (var usage = Open())
        {
            Write(usage, 1, from: 1);
        }

        Assert.Equal([0, 1], Ids("usage.jsonl"));
    }

    [Fact]
    public async Task A_line_that_was_cut_off_takes_no_other_with_it()
    {
        await File.WriteAllTextAsync(_folder["usage.jsonl"], "{\"ts\":1,\"ri", TestContext.Current.CancellationToken);
        _clock.JumpTo(new DateTimeOffset(File.GetCreationTimeUtc(_folder["usage.jsonl"]), TimeSpan.Zero));
        await using (var usage = Open())
        {
            Write(usage, 2);
        }

        Assert.Equal(["{\"ts\":1,\"ri", "0", "1"], File.ReadAllLines(_folder["usage.jsonl"]).Select(line => line.EndsWith('}') ? JsonDocument.Parse(line).RootElement.GetProperty("rid").GetString() : line));
    }

    [Fact]
    public async Task A_full_disk_costs_lines_and_never_the_log()
    {
        File.CreateSymbolicLink(_folder["usage.jsonl"], "/dev/full");
        await using (var usage = Open())
        {
            Write(usage, 10);
            await Waiting.UntilAsync(() => _log.Lines > 0);
            File.Delete(_folder["usage.jsonl"]);
            Write(usage, 1, from: 10);
        }

        Assert.Equal(10, Ids("usage.jsonl")[^1]);
    }

    private static void Write(UsageLog usage, int count, int from = 0)
    {
        for (var number = from; number < from + count; number++)
        {
            usage.WriteCompletion(new CallReport(new RequestId($"{number}"), DateTimeOffset.UnixEpoch));
        }
    }

    private UsageLog Open(long bytes = 1_000_000, int files = 5) => new(
        Configured.Good("").Logs with { FileBytesMax = bytes, FilesMax = files, FileAgeMax = TimeSpan.FromDays(1) },
        _folder.Path,
        _clock,
        _log);

    private List<string> Files() => [.. Directory.GetFiles(_folder.Path).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private List<int> Ids(string file) => [.. File.ReadAllLines(_folder[file]).Select(line =>
    {
        using var json = JsonDocument.Parse(line);
        return int.Parse(json.RootElement.GetProperty("rid").GetString()!, System.Globalization.CultureInfo.InvariantCulture);
    })];

    /// <summary>Counts what is said.</summary>
    private sealed class CountingLog : ILogger
    {
        private int _lines;

        public int Lines => Volatile.Read(ref _lines);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Interlocked.Increment(ref _lines);
    }
}
