using System.Collections.Concurrent;
using Ccp.Configuration;
using Ccp.Configuration.Sections;
using Ccp.Metering;
using Ccp.Routing;
using Ccp.Store;
using Microsoft.Data.Sqlite;

namespace Ccp.Thinking;

/// <summary>Remembers which lane signed which thinking block, so that no other is ever sent it: a provider refuses what it has not signed itself.</summary>
/// <remarks>
/// Told in the path of calls and written down once a second, beside it. Should the store fail, no call hears of it: memory knows all the same, and what is unwritten is
/// written when the store works again.
/// </remarks>
internal sealed class ThinkingGuard : IAsyncDisposable
{
    /// <summary>Some 15 MB of memory when they are all there.</summary>
    public const int BlocksMax = 100_000;

    /// <summary>So many in one write: calls in progress wait behind it for their holds.</summary>
    private const int BlocksPerWrite = 512;

    private static readonly TimeSpan WriteEvery = TimeSpan.FromSeconds(1);

    private readonly WriteQueue _writes;
    private readonly SignatureMemory _memory;
    private readonly Func<CcpConfig> _config;

    // One for each lane, made when it is first asked for.
    private readonly ConcurrentDictionary<string, SignatureSeen> _listeners = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, IsForeignSignature> _judges = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _oneWrite = new(1, 1);
    private readonly ITimer _timer;

    /// <param name="config">The one in force.</param>
    /// <param name="storePath">Read once, now.</param>
    public ThinkingGuard(Func<CcpConfig> config, string storePath, WriteQueue writes, TimeProvider time)
    {
        _config = config;
        _writes = writes;
        _memory = new SignatureMemory(BlocksMax, time);
        _memory.Load(Load(storePath, time.GetUtcNow()));
        _timer = time.CreateTimer(_ => WriteUnlessWriting(), null, WriteEvery, WriteEvery);
    }

    /// <returns>What an answer of this lane is listened to with; null where no other lane could ever be sent its blocks.</returns>
    public SignatureSeen? ListenerFor(string lane) => HasSecondLane(_config()) ? _listeners.GetOrAdd(lane, NewListener) : null;

    /// <returns>Whether a block may not go to this lane; null when all may.</returns>
    public IsForeignSignature? JudgeFor(string lane) =>
        !_memory.KnowsOnly(lane) ? _judges.GetOrAdd(lane, NewJudge) : SignsAll(lane) && HasSecondLane(_config()) ? IsUnsigned : null;

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        await _oneWrite.WaitAsync();
        await WriteAsync();
        _oneWrite.Dispose();
    }

    private static List<SignedBlock> Load(string storePath, DateTimeOffset now)
    {
        try
        {
            using var store = Database.OpenReader(storePath);
            return SignatureStore.Load(store, now, BlocksMax);
        }
        catch (Exception error) when (error is SqliteException or StoreUnavailableException)
        {
            // Damage is looked for, and told of, by others. Without this table ccp can serve.
            return [];
        }
    }

    private SignatureSeen NewListener(string lane) => signature => _memory.Note(SignatureHash.Of(signature), lane);

    private IsForeignSignature NewJudge(string lane) => signature =>
        signature.IsEmpty ? SignsAll(lane) : _memory.LaneOf(SignatureHash.Of(signature)) is { } signer && signer != lane;

    /// <summary>Some providers sign nothing of what they think. This one does, and refuses a block without a signature: it is certainly another's.</summary>
    private static bool SignsAll(string lane) => lane == BuiltInLanes.Anthropic;

    private static bool IsUnsigned(ReadOnlySpan<byte> signature) => signature.IsEmpty;

    private void WriteUnlessWriting()
    {
        if (_oneWrite.Wait(0))
        {
            _ = WriteAsync();
        }
    }

    /// <summary>Writes down what is new. Does not fail.</summary>
    private async Task WriteAsync()
    {
        try
        {
            while (_memory.TakeUnwritten(BlocksPerWrite, out var oldest) is { Count: > 0 } blocks)
            {
                try
                {
                    await _writes.WriteAsync(database =>
                    {
                        SignatureStore.Write(database, blocks, oldest);
                        return blocks.Count;
                    });
                }
                catch (Exception error) when (error is StoreUnavailableException or SqliteException or InvalidOperationException)
                {
                    // The store has said what is wrong with it, and does not need to hear it again for this.
                    _memory.PutBack(blocks);
                    return;
                }
            }
        }
        finally
        {
            _oneWrite.Release();
        }
    }

    /// <summary>Whether calls can go anywhere but to the default lane: to a lane that has a key, for all or for some, or needs none.</summary>
    private static bool HasSecondLane(CcpConfig config) => config.Lanes.Skip(1).Any(lane =>
        lane.Key is not null || lane.Header is not (LaneHeader.ApiKey or LaneHeader.Authorization or LaneHeader.Auto) || config.Keys.Any(key => key.Lane == lane.Name));
}
