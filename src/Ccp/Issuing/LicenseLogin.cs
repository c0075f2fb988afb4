using System.Net;
using System.Text;
using System.Text.Json;
using Ccp.Licenses;
using Ccp.Licensing;

namespace Ccp.Issuing;

/// <summary>Gets a license from an issuer while a person says yes on its page. What the issuer sends is believed only when it verifies.</summary>
/// <param name="problemOf">Why a pack counts for nothing here; null when it counts.</param>
/// <param name="say">Shows the person a line.</param>
internal sealed class LicenseLogin(IssuerClient issuer, Func<byte[], string?> problemOf, Action<string> say, TimeProvider time)
{
    private static readonly TimeSpan LongestInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(30);

    /// <summary>Shows a code and an address, on whatever device a browser is, and asks until it is decided.</summary>
    /// <returns>A pack that verifies.</returns>
    public async Task<byte[]> WithDeviceCodeAsync(DeviceBeginRequest request)
    {
        var (begun, deadline) = await BeginAsync(request);
        say($"Open {begun.AuthorizeUrl}");
        say($"and compare the code: {begun.UserCode}");
        SayWait(deadline);
        return await PollAsync(begun, deadline);
    }

    /// <summary>Shows an address, for a browser on this host, and waits for it to be sent back here.</summary>
    /// <returns>A pack that verifies.</returns>
    public async Task<byte[]> WithLoopbackAsync(DeviceBeginRequest request)
    {
        using var catcher = new RedirectCatcher(problemOf);
        await catcher.StartAsync();
        try
        {
            var (begun, deadline) = await BeginAsync(request with { RedirectUrl = catcher.Url });
            say($"Open {begun.AuthorizeUrl} in a browser on this host");
            say($"and compare the code: {begun.UserCode}");
            SayWait(deadline);
            return await CaughtAsync(catcher, deadline) switch
            {
                { IsDenied: true } => throw Denied(),
                { Pack: { } pack } => pack,
                _ => await PollAsync(begun, deadline, isAtOnce: true),
            };
        }
        finally
        {
            await catcher.StopAsync();
        }
    }

    private void SayWait(DateTimeOffset deadline) =>
        say($"Waiting until it is confirmed there, until {LicenseWords.Moment(deadline)}; Ctrl+C gives up.");

    private async Task<(DeviceBeginAnswer Begun, DateTimeOffset Deadline)> BeginAsync(DeviceBeginRequest request)
    {
        var begun = await issuer.BeginAsync(request);
        if (begun is not { UserCode.Length: > 0, PollToken.Length: > 0, AuthorizeUrl: { } url } || !Uri.TryCreate(url, UriKind.Absolute, out var address) || !IssuerClient.IsSafe(address))
        {
            throw new LoginFailedException("The issuer did not say where to go on. What answered may be no issuer of licenses for ccp: look at its URL.");
        }

        var wait = TimeSpan.FromSeconds(Math.Clamp(begun.ExpiresIn, 1, LongestWait.TotalSeconds));
        return (begun with { AuthorizeUrl = address.AbsoluteUri }, time.GetUtcNow() + wait);
    }

    /// <returns>Null when no browser came back in time: it may have been closed too early, or be on another host.</returns>
    private async Task<RedirectCaught?> CaughtAsync(RedirectCatcher catcher, DateTimeOffset deadline)
    {
        using var late = new CancellationTokenSource(deadline - time.GetUtcNow(), time);
        try
        {
            return await catcher.Caught.WaitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <param name="isAtOnce">True: the issuer may have the answer already, and is not waited for first.</param>
    private async Task<byte[]> PollAsync(DeviceBeginAnswer begun, DateTimeOffset deadline, bool isAtOnce = false)
    {
        var interval = TimeSpan.FromSeconds(Math.Clamp(begun.Interval, 1, LongestInterval.TotalSeconds));
        var wait = isAtOnce ? TimeSpan.Zero : interval;
        while (true)
        {
            // Never beyond the deadline: the last question is asked then, since the yes may have come just before.
            await Task.Delay(Shorter(wait, Left(deadline)), time);
            var isLast = Left(deadline) == TimeSpan.Zero;
            switch (await TryPollAsync(begun.PollToken!))
            {
                case null when isLast:
                    throw new LoginFailedException("The time is over, and the issuer could not be asked whether the login was confirmed. Begin it again; if it was confirmed, the invite is redeemed.");
                case null:
                    interval = Shorter(interval * 2, LongestInterval);
                    break;
                case { Status: "pending" } when !isLast:
                    break;
                case { Status: "ok" } answer:
                    return Checked(answer.Pack);
                case { Status: "pending" or "expired" }:
                    throw new LoginFailedException("Nobody confirmed the login in time. Begin it again.");
                case { Status: "not_found" }:
                    throw Denied();
                default:
                    throw new LoginFailedException("The issuer answered with a status that this version of ccp does not know.");
            }

            wait = interval;
        }
    }

    private TimeSpan Left(DateTimeOffset deadline) => deadline - time.GetUtcNow() is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    /// <returns>Null when the issuer could not be asked just now.</returns>
    private async Task<DevicePollAnswer?> TryPollAsync(string pollToken)
    {
        try
        {
            return await issuer.PollAsync(pollToken);
        }
        catch (HttpRequestException error) when (error.StatusCode is null or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError)
        {
            return null;
        }
    }

    private byte[] Checked(JsonElement? sent)
    {
        var pack = Encoding.UTF8.GetBytes(sent switch
        {
            { ValueKind: JsonValueKind.String } text => text.GetString()!,
            { } value => value.GetRawText(),
            null => "",
        });
        return problemOf(pack) is { } problem
            ? throw new LoginFailedException($"What the issuer sent was not taken up: {problem}. The issuer counts the invite as redeemed all the same.") { Pack = pack }
            : pack;
    }

    private static LoginFailedException Denied() => new("The login was refused on the issuer's page, or the issuer no longer knows it. Begin it again.");
}
