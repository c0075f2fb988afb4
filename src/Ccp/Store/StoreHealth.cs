using Ccp.Telemetry;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Ccp.Store;

/// <summary>What can be wrong with a store that still takes writes: little room on its disk, or a write-ahead log that cannot be emptied.</summary>
/// <remarks>Owned by the writer's thread, between groups; only <see cref="Warning"/> is read by others.</remarks>
/// <param name="checkpoint">Brings the write-ahead log into the store as far as it can; returns the log's size.</param>
/// <param name="freeBytes">How much room the store's disk has.</param>
internal sealed class StoreHealth(Func<long> checkpoint, Func<long> freeBytes, TimeProvider time, ILogger log)
{
    /// <summary>With less than this left nothing billed is admitted: what runs must be settled, and recovery at the next start needs room too.</summary>
    public const long FreeBytesMin = 16 * 1024 * 1024;

    /// <summary>Larger than this, the write-ahead log is held open by a reader that does not end.</summary>
    public const long WalBytesUsual = 64 * 1024 * 1024;

    private static readonly TimeSpan CheckpointEvery = TimeSpan.FromSeconds(30);

    private long _lastCheckpoint = time.GetTimestamp();
    private bool _hasFailed;
    private volatile string? _warning;

    /// <summary>Something to look at that does not stop ccp; null when there is nothing.</summary>
    public string? Warning => _warning;

    /// <returns>Why nothing billed may be admitted; null when all is well.</returns>
    public string? FindProblem() => FindWantOfRoom() ?? FindStuckCheckpoint();

    private string? FindWantOfRoom()
    {
        try
        {
            var free = freeBytes();
            return free >= FreeBytesMin
                ? null
                : $"The disk of the store has {free / 1024 / 1024} MiB left. ccp keeps the last {FreeBytesMin / 1024 / 1024} for calls in progress. Free some space on it.";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return $"The disk of the store cannot be looked at: {error.Message}";
        }
    }

    /// <summary>SQLite empties the log by itself after a commit, but tells nobody when it cannot. So this asks, now and then, and each time while it fails.</summary>
    private string? FindStuckCheckpoint()
    {
        if (!_hasFailed && time.GetElapsedTime(_lastCheckpoint) < CheckpointEvery)
        {
            return null;
        }

        _lastCheckpoint = time.GetTimestamp();
        try
        {
            Warn(checkpoint());
            _hasFailed = false;
            return null;
        }
        catch (SqliteException error)
        {
            _hasFailed = true;
            return $"The write-ahead log cannot be brought into the store. {StoreFault.Describe(error)}";
        }
    }

    private void Warn(long walBytes)
    {
        var warning = walBytes < WalBytesUsual
            ? null
            : $"The write-ahead log has {walBytes / 1024 / 1024} MiB: something reads the store for a long time and keeps it from being emptied.";
        if (warning is not null && _warning is null)
        {
            log.WalGrows(walBytes / 1024 / 1024);
        }

        _warning = warning;
    }
}
