using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;

namespace Ccp.Tests.Ledger;

/// <summary>
/// Goal: whatever happens, in whatever order, the balance in memory is the sum of the entries on disk, and no call is charged twice or left open.
/// Method: histories drawn from fixed seeds over several accounts, with orderly ends and with crashes that lose everything not yet committed.
/// </summary>
public sealed class LedgerHistoryTests
{
    private const int Steps = 250;
    private const int Accounts = 4;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Balances_equal_the_entries_after_every_history(int seed)
    {
        using var folder = new TempFolder();
        var history = new History(folder, seed);
        await history.OpenAsync();
        for (var step = 0; step < Steps; step++)
        {
            await history.StepAsync();
        }

        await history.EndAsync();
    }

    /// <summary>A history under way, and what must be true of it.</summary>
    private sealed class History(TempFolder folder, int seed)
    {
        private readonly Random _random = new(seed);
        private readonly ManualClock _clock = new();
        private readonly List<(long Account, Hold Hold, bool IsServed)> _open = [];
        private readonly List<long> _accounts = [];

        /// <summary>Calls whose first byte reached a client: each must be charged once, or have come to nothing on purpose.</summary>
        private readonly Dictionary<string, long> _served = [];

        private readonly HashSet<string> _nothing = [];
        private readonly List<string> _topUps = [];
        private Books _books = null!;
        private int _file;

        public async Task OpenAsync()
        {
            _books = Books.Open(folder, _clock, $"{_file}.db", overdraft: 5_000);
            while (_accounts.Count < Accounts)
            {
                _accounts.Add(await _books.NewAccountAsync(10_000));
            }
        }

        public async Task StepAsync()
        {
            _clock.Advance(TimeSpan.FromMilliseconds(_random.Next(50)));
            switch (_random.Next(100))
            {
                case < 8:
                    await TopUpAsync();
                    break;
                case < 40:
                    Place();
                    break;
                case < 55:
                    await ServeAsync();
                    break;
                case < 65:
                    Progress();
                    break;
                case < 70:
                    await _books.Ledger.CheckpointAsync();
                    break;
                case < 85:
                    Settle();
                    break;
                case < 93:
                    Drop();
                    break;
                case < 95:
                    await RestartAsync();
                    break;
                case < 97:
                    await CrashAsync();
                    break;
                default:
                    _clock.JumpTo(_clock.GetUtcNow().AddSeconds(-_random.Next(100)));
                    break;
            }

            Assert.All(_accounts, account => Assert.True(_books.Ledger.StateOf(account).Held >= NanoUsd.Zero));
        }

        public async Task EndAsync()
        {
            await RestartAsync();
            await _books.DisposeAsync();
        }

        private async Task TopUpAsync()
        {
            var account = Pick(_accounts);
            var reference = _topUps.Count > 0 && _random.Next(4) == 0 ? Pick(_topUps) : $"paid-{_topUps.Count}";
            _topUps.Add(reference);
            await _books.Ledger.PostAsync(account, EntryKind.TopUp, new NanoUsd(_random.Next(1, 20_000)), reference, "test", "");
        }

        private void Place()
        {
            var account = Pick(_accounts);
            var state = _books.Ledger.StateOf(account);
            var amount = _random.Next(0, 8_000);
            var isFree = _random.Next(10) == 0;
            var isAdmitted = _books.TryPlace(account, isFree ? 0 : amount, isFree).Allows(out var hold, out _);
            if (isAdmitted && !isFree)
            {
                Assert.True(state.Balance > NanoUsd.Zero);
            }

            if (hold is not null)
            {
                _open.Add((account, hold, false));
            }
        }

        private async Task ServeAsync()
        {
            if (_open.FindIndex(call => !call.IsServed) is var index and >= 0)
            {
                var (account, hold, _) = _open[index];
                await hold.MakeDurableAsync(Books.RowFor(hold, account, _random.Next(500)));
                _open[index] = (account, hold, true);
                _served.Add(hold.Id.Value, account);
            }
        }

        private void Progress()
        {
            if (_open.Count > 0 && Pick(_open) is { IsServed: true } call)
            {
                call.Hold.NoteProgress(Books.Progress(_random.Next(6_000)));
            }
        }

        private void Settle()
        {
            if (_open.Count == 0)
            {
                return;
            }

            var call = TakeOpen();
            if (_random.Next(5) == 0)
            {
                _nothing.Add(call.Hold.Id.Value);
                _ = _books.SettleAsync(call.Hold, charge: null);
            }
            else
            {
                _ = _books.SettleAsync(call.Hold, call.Hold.IsFree ? 0 : _random.Next(9_000));
            }
        }

        private void Drop()
        {
            if (_open.Count > 0)
            {
                TakeOpen().Hold.Dispose();
            }
        }

        /// <summary>Ends in good order, with calls still open as after a drain that took too long.</summary>
        private async Task RestartAsync()
        {
            await _books.DisposeAsync();

            // All that was queued is written: what memory went by until now is what the disk says.
            Assert.All(_accounts, account => Assert.Equal(_books.BalanceOnDisk(account), _books.Ledger.StateOf(account).Balance));
            await VerifyAfterOpeningAsync();
        }

        /// <summary>Ends at once: what was queued is lost, unless a commit had just taken it.</summary>
        private async Task CrashAsync()
        {
            _books.CopyTo(folder[$"{_file + 1}.db"]);
            await _books.DisposeAsync();
            _file++;
            await VerifyAfterOpeningAsync();
        }

        private async Task VerifyAfterOpeningAsync()
        {
            _open.Clear();
            await OpenAsync();

            Assert.Null(_books.Audit().Problem);
            Assert.Equal(0, _books.Count("hold"));
            var charged = new HashSet<string>();
            foreach (var account in _accounts)
            {
                Assert.Equal(new AccountState(_books.BalanceOnDisk(account), NanoUsd.Zero, 0), _books.Ledger.StateOf(account));
                foreach (var charge in _books.Entries(account).Where(entry => entry.Kind == EntryKind.Charge))
                {
                    Assert.True(charged.Add(charge.Reference), $"{charge.Reference} is charged twice");
                    Assert.True(!_served.TryGetValue(charge.Reference, out var owner) || owner == account);
                }
            }

            // A call that came to nothing may still be charged by a crash that lost the word of it; one that was served and came to something must be.
            Assert.All(_served.Keys.Where(id => !_nothing.Contains(id)), id => Assert.Contains(id, charged));
        }

        private (long Account, Hold Hold, bool IsServed) TakeOpen()
        {
            var index = _random.Next(_open.Count);
            var call = _open[index];
            _open.RemoveAt(index);
            return call;
        }

        private T Pick<T>(List<T> from) => from[_random.Next(from.Count)];
    }
}
