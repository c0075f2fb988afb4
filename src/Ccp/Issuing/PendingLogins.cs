using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Ccp.Issuing;

/// <summary>A login that waits for a person to say yes on the issuer's page.</summary>
internal sealed class PendingLogin(string userCode, string pollToken, string? inviteCode, string? email, string? device, Uri? redirectUrl, DateTimeOffset expiresAt)
{
    private int _isTaken;
    private volatile string? _pack;

    public string UserCode => userCode;

    /// <summary>The secret of whoever began it.</summary>
    public string PollToken => pollToken;

    /// <summary>Null: the page asks for it.</summary>
    public string? InviteCode => inviteCode;

    public string? Email => email;

    public string? Device => device;

    public Uri? RedirectUrl => redirectUrl;

    public DateTimeOffset ExpiresAt => expiresAt;

    /// <summary>Null until a license was issued for it.</summary>
    public string? Pack => _pack;

    /// <summary>Decided, or about to be.</summary>
    public bool IsTaken => Volatile.Read(ref _isTaken) == 1;

    /// <summary>One yes is worth one license, however often it is said.</summary>
    public bool TryTake() => Interlocked.Exchange(ref _isTaken, 1) == 0;

    public void GiveBack() => Volatile.Write(ref _isTaken, 0);

    public void End(string pack) => _pack = pack;
}

/// <summary>The logins that wait. In memory: after a restart of the issuer they are begun anew.</summary>
internal sealed class PendingLogins(TimeProvider time)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private const int CountMax = 10_000;

    // Without vowels, so without words, and without what looks alike.
    private const string Letters = "BCDFGHJKLMNPQRSTVWXZ";

    private readonly ConcurrentDictionary<string, PendingLogin> _byUserCode = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, PendingLogin> _byToken = new(StringComparer.Ordinal);

    public PendingLogin Begin(string? inviteCode, string? email, string? device, Uri? redirectUrl)
    {
        ForgetOld();
        if (_byToken.Count >= CountMax)
        {
            throw new IssuerRefusedException(503, "Too many logins are waiting. Try again in a few minutes.");
        }

        while (true)
        {
            var letters = RandomNumberGenerator.GetString(Letters, 8);
            var login = new PendingLogin(
                $"{letters[..4]}-{letters[4..]}",
                RandomNumberGenerator.GetHexString(64, lowercase: true),
                inviteCode,
                email,
                device,
                redirectUrl,
                time.GetUtcNow() + Lifetime);
            if (_byUserCode.TryAdd(login.UserCode, login))
            {
                _byToken[login.PollToken] = login;
                return login;
            }
        }
    }

    /// <returns>Null when there is none, or it has expired.</returns>
    public PendingLogin? FindByUserCode(string? code) =>
        code is not null && _byUserCode.TryGetValue(code.Trim().ToUpperInvariant(), out var login) && !IsExpired(login) ? login : null;

    /// <returns>Also one that has expired not long ago, so that whoever waits for it can be told.</returns>
    public PendingLogin? FindByToken(string? token) => token is not null && _byToken.TryGetValue(token, out var login) ? login : null;

    public bool IsExpired(PendingLogin login) => time.GetUtcNow() >= login.ExpiresAt;

    public void Forget(PendingLogin login)
    {
        _byUserCode.TryRemove(login.UserCode, out _);
        _byToken.TryRemove(login.PollToken, out _);
    }

    private void ForgetOld()
    {
        var now = time.GetUtcNow();
        foreach (var login in _byToken.Values.Where(login => now >= login.ExpiresAt + Lifetime))
        {
            Forget(login);
        }
    }
}
