using System.Collections.Frozen;
using Ccp.Configuration;
using Ccp.Refusals;

namespace Ccp.Identity;

/// <summary>Who holds which token, as an immutable table that is swapped whole. Looking someone up takes no lock and no disk.</summary>
internal sealed class UserDirectory
{
    private volatile Table _table = new([]);

    public IReadOnlyList<User> All => _table.Users;

    public User? FindByName(string name) => _table.ByName.GetValueOrDefault(name);

    public User? FindById(long id) => _table.ById.GetValueOrDefault(id);

    public void Replace(IReadOnlyList<User> users) => _table = new Table(users);

    /// <summary>Whether somebody is known by this.</summary>
    public bool Holds(ReadOnlySpan<char> token) => AccessToken.HashOf(token) is { } hash && _table.ByToken.ContainsKey(hash);

    /// <summary>Who is calling. Nothing of the request's body has been read yet.</summary>
    public Decision<User> Identify(string? token)
    {
        if (token is null)
        {
            return new Refusal(RefusalCode.TokenUnknown, "This proxy needs your ccp token. Set ANTHROPIC_AUTH_TOKEN to the token your operator gave you.");
        }

        if (AccessToken.HashOf(token) is not { } hash || !_table.ByToken.TryGetValue(hash, out var user))
        {
            return new Refusal(RefusalCode.TokenUnknown, "This ccp token is not valid, or no longer. Ask your operator for a new one and set ANTHROPIC_AUTH_TOKEN to it.");
        }

        return Enabled(user);
    }

    /// <summary>Whose a call without a token is in local mode.</summary>
    public Decision<User> IdentifyLocal() => FindByName(AuthConfig.LocalUser) is { } user
        ? Enabled(user)
        : new Refusal(RefusalCode.TokenUnknown, $"There is no ccp user {AuthConfig.LocalUser} to serve a call without a token as. Ask your operator to restart ccp, which makes it.");

    private static Decision<User> Enabled(User user) => user.IsDisabled
        ? new Refusal(RefusalCode.UserDisabled, $"The ccp user {user.Name} is disabled. Ask your operator to enable it.")
        : user;

    private sealed class Table(IReadOnlyList<User> users)
    {
        public IReadOnlyList<User> Users { get; } = users;

        // A token that two users claim (one in the file, one in the store) identifies neither.
        public FrozenDictionary<TokenHash, User> ByToken { get; } = users
            .Where(user => user.Token is not null)
            .GroupBy(user => user.Token!.Value)
            .Where(holders => holders.Count() == 1)
            .ToFrozenDictionary(holders => holders.Key, holders => holders.Single());

        public FrozenDictionary<string, User> ByName { get; } = users.ToFrozenDictionary(user => user.Name, StringComparer.Ordinal);

        public FrozenDictionary<long, User> ById { get; } = users.ToFrozenDictionary(user => user.Id);
    }
}
