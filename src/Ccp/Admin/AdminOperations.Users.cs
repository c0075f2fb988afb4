using Ccp.Configuration;
using Ccp.Identity;
using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Store;
using Ccp.Telemetry;
using Ccp.Usage;

namespace Ccp.Admin;

internal sealed partial class AdminOperations
{
    /// <summary>The users by name. What they used is summed over the request records that are kept.</summary>
    public async Task<Dictionary<string, UserView>> ListUsersAsync()
    {
        var usage = (await ReadAsync(database => UsageQueries.ByUser(database, name: null, DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue)))
            .ToDictionary(line => line.AccountId);
        return till.Users.All.ToDictionary(user => user.Name, user => View(user, usage.GetValueOrDefault(user.AccountId)), StringComparer.Ordinal);
    }

    public async Task<UserChangeView> AddUserAsync(ReadOnlyMemory<byte> json, string actor)
    {
        var body = new AdminBody(json, "username", "anthropicApiKey", "initialBalance", "isAdmin", "billing", "markup", "limits");
        var name = body.Text("username") ?? throw AdminRefusedException.Malformed("State the new user's name: {\"username\":\"...\"}.");
        if (!IsName(name))
        {
            throw AdminRefusedException.Malformed("A user name has 1 to 64 of the letters A-Z and a-z, digits, \".\", \"_\" and \"-\".");
        }

        var (key, isAdmin, isBilled, markup) = (body.HeaderSecret("anthropicApiKey"), body.Flag("isAdmin") ?? false, body.Flag("billing"), body.Markup("markup"));
        var limits = (body.Limits("limits") ?? LimitsChange.Nothing).On(StatedLimits.None);
        RefuseIfNothingIsCounted(limits, isCharged: !isAdmin && isBilled != false);
        var balance = body.Money("initialBalance") ?? NanoUsd.Zero;
        if (balance != NanoUsd.Zero)
        {
            RefuseTooSmall(balance);
        }

        var token = AccessToken.New();
        await _oneChange.WaitAsync();
        try
        {
            if (till.Users.FindByName(name) is not null)
            {
                throw AdminRefusedException.Conflict($"There is a user {name} already.");
            }

            await ChangeUsersAsync(database =>
            {
                var id = till.UserStore.Insert(database, name, AccessToken.HashOf(token), isAdmin);
                UserStore.SetFlags(database, id, isAdmin, isDisabled: false, isBilled);
                UserStore.SetMarkup(database, id, markup?.Factor);
                UserStore.SetLimits(database, id, limits);
                SetKey(database, id, key);
                if (balance != NanoUsd.Zero)
                {
                    till.Ledger.Post(database, UserStore.AccountOf(database, id), EntryKind.TopUp, balance, NewReference(), actor, "initial balance");
                }
            },
            () => till.Ledger.Count(Find(name).AccountId, balance));
            var user = Find(name);
            till.Log.UserChanged(name, isAdmin ? "added as an admin" : "added", actor);
            return new UserChangeView(name, token, till.Ledger.StateOf(user.AccountId).Balance, $"{name} was added. The token is shown this once.");
        }
        finally
        {
            _oneChange.Release();
        }
    }

    public async Task<UserChangeView> UpdateUserAsync(string name, UserUpdate asked, string actor)
    {
        if (asked.AddBalance is { } amount)
        {
            RefuseTooSmall(amount);
        }

        await _oneChange.WaitAsync();
        try
        {
            var user = Find(name);
            if (IsLocal(user) && (asked.IsAdmin == true || asked.IsBilled == true))
            {
                throw AdminRefusedException.Conflict($"With auth.mode = \"local\" {name} is neither an admin nor charged. Take another user, or set the mode to \"tokens\" and restart ccp.");
            }

            var update = asked.Within(StatedInFile(user), user);
            var staysAdmin = (update.IsAdmin ?? user.IsAdmin) && !(update.IsDisabled ?? user.IsDisabled);
            RefuseIfLastAdmin(user, staysAdmin, "Make another user an admin first.");
            var limits = update.Limits?.On(user.StoredLimits);
            if (update is not { Limits: null, IsAdmin: null, IsBilled: null })
            {
                var all = (StatedInFile(user)?.Limits ?? StatedLimits.None).Over(limits ?? user.StoredLimits);
                RefuseIfNothingIsCounted(all, isCharged: !(update.IsAdmin ?? user.IsAdmin) && (update.IsBilled ?? user.IsBilled));
            }

            var token = update.ResetsToken ? AccessToken.New() : null;
            await ChangeUsersAsync(database =>
            {
                UserStore.SetFlags(database, user.Id, update.IsAdmin, update.IsDisabled, update.IsBilled);
                SetKey(database, user.Id, update.ApiKey);
                if (update.Markup is { } markup)
                {
                    UserStore.SetMarkup(database, user.Id, markup.Factor);
                }

                if (limits is not null)
                {
                    UserStore.SetLimits(database, user.Id, limits);
                }

                if (AccessToken.HashOf(token) is { } hash)
                {
                    UserStore.SetToken(database, user.Id, hash);
                }

                if (update.AddBalance is { } payment)
                {
                    till.Ledger.Post(database, user.AccountId, EntryKind.TopUp, payment, NewReference(), actor, "");
                }
            },
            () => till.Ledger.Count(user.AccountId, update.AddBalance ?? NanoUsd.Zero));
            var changes = update.Names();
            till.Log.UserChanged(name, changes.Length == 0 ? "nothing changed" : changes, actor);
            return new UserChangeView(name, token, till.Ledger.StateOf(user.AccountId).Balance, changes.Length == 0 ? $"{name}: nothing to change." : $"{name}: {changes}.");
        }
        finally
        {
            _oneChange.Release();
        }
    }

    public async Task<UserChangeView> DeleteUserAsync(string name, string actor)
    {
        await _oneChange.WaitAsync();
        try
        {
            var user = Find(name);
            if (IsLocal(user))
            {
                throw AdminRefusedException.Conflict($"auth.mode = \"local\" needs {name}, and would make it anew. Disable {name} instead, or set the mode to \"tokens\" and restart ccp.");
            }

            if (StatedInFile(user) is not null)
            {
                throw AdminRefusedException.Conflict($"{name} is kept in the configuration file. Take the [[user]] out of it and restart ccp; then delete {name} here.");
            }

            RefuseIfLastAdmin(user, staysAdmin: false, "Make another user an admin first.");
            await ChangeUsersAsync(database => till.UserStore.Delete(database, user.Id));
            till.Log.UserChanged(name, "deleted", actor);
            var balance = till.Ledger.StateOf(user.AccountId).Balance;
            return new UserChangeView(name, null, balance, $"{name} was deleted; the token is dead. The history stays, and a balance of {balance} USD with it.");
        }
        finally
        {
            _oneChange.Release();
        }
    }

    /// <summary>Writes, and lets every call that comes from now on see what was written.</summary>
    /// <param name="onDisk">What else memory makes of it.</param>
    private async Task ChangeUsersAsync(Action<Database> change, Action? onDisk = null) =>
        await till.Writes.WriteAsync(
            database =>
            {
                change(database);
                return till.UserStore.Load(database, till.Config.Users);
            },
            users =>
            {
                till.Users.Replace(users);
                onDisk?.Invoke();
            });

    private bool IsLocal(User user) => till.Config.Auth.IsLocal && user.Name == AuthConfig.LocalUser;

    private void SetKey(Database database, long userId, Secret? key)
    {
        if (key is not null)
        {
            till.UserStore.SetUpstreamKey(database, userId, key.Reveal().Length == 0 ? null : key);
        }
    }

    private void RefuseIfLastAdmin(User user, bool staysAdmin, string advice)
    {
        if (user is { IsAdmin: true, IsDisabled: false } && !staysAdmin && !till.Users.All.Any(other => other.Id != user.Id && other is { IsAdmin: true, IsDisabled: false }))
        {
            throw AdminRefusedException.Conflict($"{user.Name} is the last admin, and without one nobody could administer ccp. {advice}");
        }
    }

    /// <summary>A limit that counts nothing would be one that is accepted and not kept.</summary>
    private static void RefuseIfNothingIsCounted(StatedLimits limits, bool isCharged)
    {
        if (limits.LimitsSpend && !isCharged)
        {
            throw AdminRefusedException.Conflict("spendPerDay and spendPerMonth count what a user is charged, and admins and users who are not billed are charged nothing. Take the spending limits away, or have the user charged.");
        }
    }

    private UserView View(User user, UserUsage? usage) => new(
        user.IsAdmin,
        user.IsDisabled,
        HasApiKey: user.UpstreamKey is not null || user.KeyName is not null,
        new UserTotalsView(usage?.Sums.Requests ?? 0, usage?.Sums.Tokens.Total ?? 0, till.Ledger.StateOf(user.AccountId).Balance),
        LimitsView.Of(user.OwnLimits),
        user.CreatedAt,
        usage?.LastSeenAt,
        HasToken: user.Token is not null,
        user.IsBilled,
        user.Markup,
        user.IsFromFile,
        LimitsView.Of(user.Limits));
}
