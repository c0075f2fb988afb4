using System.Globalization;
using System.Net;
using Ccp.Configuration;
using Ccp.Identity;
using Ccp.Refusals;

namespace Ccp.Limits;

/// <summary>What the person at the keyboard is told about a limit: which one, when it goes on, and who can raise it.</summary>
internal static class LimitRefusals
{
    public static Refusal TokenRate(UserLimits limits, TimeSpan wait) => new(
        RefusalCode.TokenRateReached,
        $"You have used up the {Count(limits.TokensPerMinute, "token")} a minute that ccp allows you. It goes on in {Seconds(wait)} s; for more, ask your operator to raise your tokens_per_minute.")
    {
        Wait = wait,
    };

    public static Refusal RequestRate(UserLimits limits, TimeSpan wait) => new(
        RefusalCode.RequestRateReached,
        $"You have made the {Count(limits.RequestsPerMinute, "request")} a minute that ccp allows you. It goes on in {Seconds(wait)} s; for more, ask your operator to raise your requests_per_minute.")
    {
        Wait = wait,
    };

    public static Refusal Concurrency(UserLimits limits) => new(
        RefusalCode.ConcurrencyReached,
        $"You have {Count(limits.Concurrent, "call")} in progress, as many as ccp allows you at once. This one goes on when one of them ends; for more at once, ask your operator to raise your limit \"concurrent\".");

    public static Refusal FreeConcurrency() => new(
        RefusalCode.ConcurrencyReached,
        "Your token counts and model lists in progress take all the room that ccp allows them. This one goes on when one of them ends; for more at once, ask your operator to raise your limit \"concurrent\".");

    public static Refusal Expired(User user, DateTimeOffset expired) => new(
        RefusalCode.UserExpired,
        $"The ccp user {user.Name} expired on {expired.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC. Ask your operator to extend it.");

    public static Refusal Address(User user, IPAddress from) => new(
        RefusalCode.AddressNotAllowed,
        $"The ccp user {user.Name} may not call from the address {from}. Call from a network that your operator has allowed, or ask your operator to allow this one.");

    public static Refusal UnknownAddress(User user) => new(
        RefusalCode.AddressNotAllowed,
        $"The ccp user {user.Name} may call from certain addresses only, and the proxy in front of ccp does not say where this call comes from. Ask your operator to have it send x-forwarded-for.");

    public static Refusal Model(UserLimits limits, string model) => new(
        RefusalCode.ModelNotAllowed,
        $"The model {Short(model)} is not among those that ccp allows you ({string.Join(", ", limits.Models)}). Choose one of those, or ask your operator to allow this one.");

    public static Refusal FailedTokens(TimeSpan wait) => new(
        RefusalCode.TooManyFailedTokens,
        $"Too many calls without a valid ccp token came from your address. Try again in {Seconds(wait)} s, with the token your operator gave you.")
    {
        Wait = wait,
    };

    public static Refusal LocalToken() => new(
        RefusalCode.TokenUnknown,
        "The ccp token in x-ccp-token is not valid, or no longer. Leave that header out to be served without a token, or ask your operator for a new one.");

    private static string Count(long count, string what) => $"{count.ToString(CultureInfo.InvariantCulture)} {what}{(count == 1 ? "" : "s")}";

    private static long Seconds(TimeSpan wait) => Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds));

    /// <summary>The caller wrote it, and may have written a book.</summary>
    private static string Short(string model) => model.Length <= 100 ? model : model[..100] + "…";
}
