using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ccp.Licensing;
using Ccp.Limits;
using Ccp.Listening;
using Ccp.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Ccp.Issuing;

/// <summary>The issuer over HTTP: three endpoints for programs, one page for people. Errors of the endpoints are <c>{"error":"what is wrong, and what to do"}</c>.</summary>
/// <param name="publicUrl">What people reach the issuer by; null: the address that a request came in on.</param>
/// <param name="trustedProxies">Whose <c>x-forwarded-for</c> is believed.</param>
internal sealed class IssuerEndpoint(Issuer issuer, PendingLogins logins, Uri? publicUrl, IReadOnlyList<IPNetwork> trustedProxies, TimeProvider time, ILogger log)
{
    public const int BodyBytesMax = 16 * 1024;
    public const int IntervalSeconds = 3;

    private const string PollPath = "/v1/device/poll";
    private const int RedirectUrlLengthMax = 512;

    private readonly MinuteThrottle<UInt128> _tries = new(60, time);

    // By login: others at the same address must not keep one from its license. Those that know no login are counted by address.
    private readonly MinuteThrottle<PendingLogin> _polls = new(60, time);
    private readonly MinuteThrottle<UInt128> _strangePolls = new(600, time);

    public async Task AnswerAsync(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        var isPage = http.Request.Path == "/authorize";
        try
        {
            // A poll is counted once it is known whose it is.
            if (http.Request.Path.Value != PollPath && !_tries.Allows(NetworkOf(http)))
            {
                throw TooOften("Too many requests came from your address. Try again in a minute.");
            }

            if (isPage)
            {
                await new AuthorizeEndpoint(issuer, logins).AnswerAsync(http);
            }
            else
            {
                await AnswerProgramAsync(http);
            }
        }
        catch (IssuerRefusedException refused)
        {
            await RefuseAsync(http, isPage, refused.Status, refused.Message);
        }
        catch (BadHttpRequestException error) when (!http.RequestAborted.IsCancellationRequested)
        {
            var message = error.StatusCode == 413 ? $"The body is too long: at most {BodyBytesMax / 1024} KiB are read." : "The body did not come as HTTP wants it.";
            await RefuseAsync(http, isPage, error.StatusCode, message);
        }
        catch (Exception error) when (error is UnauthorizedAccessException or (IOException and not BadHttpRequestException) && !http.RequestAborted.IsCancellationRequested)
        {
            log.IssuerFailed(error.Message);
            await RefuseAsync(http, isPage, 503, "The issuer cannot write down that an invite was redeemed, so it issues nothing. Its operator finds the reason in its log.");
        }
    }

    private static Task RefuseAsync(HttpContext http, bool isPage, int status, string message) => isPage
        ? AuthorizeEndpoint.SendAsync(http, status, AuthorizePage.Tell("No license", message))
        : SendAsync(http, status, new IssuerError(message), IssuerJson.Default.IssuerError);

    private static IssuerRefusedException TooOften(string message) => new(429, message);

    private UInt128 NetworkOf(HttpContext http) => CallerNetwork.Of(CallerAddress.Of(http, trustedProxies).Address);

    private async Task AnswerProgramAsync(HttpContext http)
    {
        var path = http.Request.Path.Value;
        if (path is not ("/v1/license/issue" or "/v1/device/begin" or PollPath))
        {
            throw new IssuerRefusedException(404, "The issuer has no such path.");
        }

        if (!HttpMethods.IsPost(http.Request.Method))
        {
            throw new IssuerRefusedException(405, "This path takes POST only.");
        }

        if (!(http.Request.ContentType ?? "").StartsWith("application/json", StringComparison.OrdinalIgnoreCase))
        {
            throw new IssuerRefusedException(415, "Send JSON, with content-type: application/json.");
        }

        switch (path)
        {
            case "/v1/license/issue":
                var issue = await ReadAsync(http, IssuerJson.Default.IssueRequest);
                if (issue.Email is null)
                {
                    throw new IssuerRefusedException(400, "State whom the license is for: \"email\".");
                }

                await SendAsync(http, 200, await issuer.IssueAsync(issue.InviteCode, issue.Email, issue.Device), IssuerJson.Default.IssueAnswer);
                break;
            case "/v1/device/begin":
                await SendAsync(http, 200, Begin(await ReadAsync(http, IssuerJson.Default.DeviceBeginRequest), publicUrl ?? OwnAddress(http)), IssuerJson.Default.DeviceBeginAnswer);
                break;
            default:
                await SendAsync(http, 200, Poll(http, await ReadAsync(http, IssuerJson.Default.DevicePollRequest)), IssuerJson.Default.DevicePollAnswer);
                break;
        }
    }

    private DeviceBeginAnswer Begin(DeviceBeginRequest request, Uri address)
    {
        Issuer.CheckEmail(request.Email);
        Issuer.CheckDevice(request.Device);
        var code = string.IsNullOrWhiteSpace(request.InviteCode) ? null : request.InviteCode;
        if (code is not null)
        {
            issuer.Find(code);
        }

        var login = logins.Begin(code, request.Email, request.Device, RedirectOf(request.RedirectUrl));
        return new DeviceBeginAnswer(
            login.UserCode,
            login.PollToken,
            $"{address.AbsoluteUri.TrimEnd('/')}/authorize?code={login.UserCode}",
            IntervalSeconds,
            (int)PendingLogins.Lifetime.TotalSeconds);
    }

    private DevicePollAnswer Poll(HttpContext http, DevicePollRequest request)
    {
        if (logins.FindByToken(request.PollToken) is not { } login)
        {
            return _strangePolls.Allows(NetworkOf(http)) ? new DevicePollAnswer("not_found") : throw TooOften("Too many polls for logins that are not known came from your address. Try again in a minute.");
        }

        if (!_polls.Allows(login))
        {
            throw TooOften($"This login is asked after too often. Wait {IntervalSeconds} seconds between one poll and the next.");
        }

        // A license that was issued in time is handed out after it too, and again if the answer got lost.
        return login.Pack is { } pack ? new DevicePollAnswer("ok", JsonSerializer.SerializeToElement(pack, IssuerJson.Default.String))
            : new DevicePollAnswer(logins.IsExpired(login) ? "expired" : "pending");
    }

    /// <summary>Only to a program on the person's own host: else the page could be used to send people anywhere.</summary>
    private static Uri? RedirectOf(string? url)
    {
        if (string.IsNullOrEmpty(url))
        {
            return null;
        }

        return url.Length <= RedirectUrlLengthMax && Uri.TryCreate(url, UriKind.Absolute, out var redirect) && redirect.Scheme == "http"
            && redirect.Host is "127.0.0.1" or "[::1]" or "localhost" && redirect.UserInfo.Length + redirect.Fragment.Length == 0
            ? redirect
            : throw new IssuerRefusedException(400, "redirect_url must be an http address on 127.0.0.1, [::1] or localhost.");
    }

    private static Uri OwnAddress(HttpContext http) => new($"http://{new IPEndPoint(http.Connection.LocalIpAddress!, http.Connection.LocalPort)}");

    private static async Task<T> ReadAsync<T>(HttpContext http, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(http.Request.Body, type) ?? throw new JsonException();
        }
        catch (JsonException)
        {
            throw new IssuerRefusedException(400, "The body must be a JSON object with the members that this path takes.");
        }
    }

    private static async Task SendAsync<T>(HttpContext http, int status, T value, JsonTypeInfo<T> type)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(value, type);
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = body.Length;
        await http.Response.BodyWriter.WriteAsync(body);
    }
}
