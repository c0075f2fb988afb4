using Ccp.Configuration;
using Ccp.Identity;
using Ccp.Limits;
using Ccp.Refusals;
using Ccp.Store;
using Ccp.Telemetry;

namespace Ccp.Admin;

/// <summary>What operators and users can ask of ccp, once: HTTP and the command line both come here.</summary>
/// <remarks>
/// Errors: <see cref="AdminRefusedException"/> for what is refused, <see cref="StoreUnavailableException"/> when nothing could be written.
/// Who may ask is settled before, in <see cref="AdminApi"/>.
/// </remarks>
/// <param name="inForce">The configuration in force. Calls are charged by its lanes, and so is what is priced here; prices, users and the rest are those of the start in either.</param>
internal sealed partial class AdminOperations(Till till, Func<CcpConfig> inForce) : IDisposable
{
    // One change of users at a time: each ends by swapping the directory, and an older one must not be swapped in after a newer.
    private readonly SemaphoreSlim _oneChange = new(1, 1);

    public void Dispose() => _oneChange.Dispose();

    public static StatusView Status() => new("ok", Product.Version);

    public ReadyView Ready() => new(till.Writes.Problem is null, till.Writes.Problem ?? "ok", till.Writes.Unwritten, till.Writes.Warning);

    /// <summary>Tells whoever holds a token what it is good for.</summary>
    /// <returns>Refused only when too many wrong ones came from there; else the view says whether it is valid.</returns>
    public Decision<TokenView> Validate(ReadOnlyMemory<byte> json, Caller from)
    {
        var token = new AdminBody(json, "token").Text("token") ?? throw AdminRefusedException.Malformed("State the token: {\"token\":\"...\"}.");
        if (till.Admission.Identify(token.Trim(), from.Address).Allows(out var user, out var refusal))
        {
            refusal = till.Admission.RefusalOf(user, from);
            return refusal is null
                ? new TokenView(true, user.Name, user.IsAdmin, till.Ledger.StateOf(user.AccountId).Balance)
                : new TokenView(false, Error: refusal.Message);
        }

        return refusal.Code == RefusalCode.TooManyFailedTokens ? refusal : new TokenView(false, Error: refusal.Message);
    }

    private User Find(string name) =>
        till.Users.FindByName(name) ?? throw AdminRefusedException.NoSuchUser(
            IsName(name) ? $"There is no user {name}. GET /admin/users, or ccp user list, shows who there is." : "There is no such user.");

    private UserConfig? StatedInFile(User user) => till.Config.Users.FirstOrDefault(stated => stated.Name == user.Name);

    /// <summary>On a thread that may wait for the disk: the caller's may be one that serves connections.</summary>
    private Task<T> ReadAsync<T>(Func<Database, T> read) => Task.Run(() =>
    {
        using var database = Database.OpenReader(till.DatabasePath);
        return read(database);
    });

    /// <summary>What the configuration file may name too. A path of one or two points would lead elsewhere.</summary>
    public static bool IsName(string name) =>
        name.Length is > 0 and <= 64 && name is not ("." or "..") && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
