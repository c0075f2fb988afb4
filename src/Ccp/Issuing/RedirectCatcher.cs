using System.Net;
using System.Security.Cryptography;
using System.Text;
using Ccp.Listening;
using Microsoft.AspNetCore.Http;

namespace Ccp.Issuing;

/// <summary>Waits on this host, on a port of its own, for the one redirect that ends a login. What does not carry its state is turned away, and it waits on.</summary>
internal sealed class RedirectCatcher : IDisposable
{
    private const string CallbackPath = "/callback";

    private readonly string _state = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private readonly TaskCompletionSource<RedirectCaught> _caught = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<byte[], string?> _problemOf;
    private readonly SmallServer _server;

    /// <param name="problemOf">Why a pack counts for nothing; null when it counts.</param>
    public RedirectCatcher(Func<byte[], string?> problemOf)
    {
        _problemOf = problemOf;
        _server = new SmallServer(new IPEndPoint(IPAddress.Loopback, 0), bodyBytesMax: 0, AnswerAsync);
    }

    /// <summary>Where the issuer is to send the browser.</summary>
    public string Url => $"{_server.Address.GetLeftPart(UriPartial.Authority)}{CallbackPath}?state={_state}";

    public Task<RedirectCaught> Caught => _caught.Task;

    public Task StartAsync() => _server.StartAsync();

    /// <summary>Lets the page that says so reach the browser.</summary>
    public async Task StopAsync()
    {
        using var cut = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _server.StopAsync(cut.Token);
    }

    public void Dispose() => _server.Dispose();

    private Task AnswerAsync(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        if (!HttpMethods.IsGet(http.Request.Method) || http.Request.Path != CallbackPath || !IsOurs(http.Request.Query["state"].ToString()))
        {
            return AuthorizeEndpoint.SendAsync(http, 404, AuthorizePage.Tell("Nothing here", "This is not the end of a login that ccp has begun."));
        }

        RedirectCaught caught;
        if (http.Request.Query["license_pack"].ToString() is { Length: > 0 } text)
        {
            var pack = Encoding.UTF8.GetBytes(text);
            if (_problemOf(pack) is { } problem)
            {
                return AuthorizeEndpoint.SendAsync(http, 400, AuthorizePage.Tell("No license", $"What came is no license that counts here: {problem}."));
            }

            caught = new RedirectCaught(pack, IsDenied: false);
        }
        else
        {
            caught = new RedirectCaught(null, http.Request.Query["status"] == "denied");
        }

        return _caught.TrySetResult(caught)
            ? AuthorizeEndpoint.SendAsync(http, 200, AuthorizePage.Tell(caught.IsDenied ? "Nothing was issued" : "Done", "You can close this page and go back to your terminal."))
            : AuthorizeEndpoint.SendAsync(http, 410, AuthorizePage.Tell("Done already", "This login has ended."));
    }

    private bool IsOurs(string state) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(state), Encoding.UTF8.GetBytes(_state));
}

/// <summary>How a login ended in the browser.</summary>
/// <param name="Pack">One that verifies, from an issuer that sends it along; null: it waits at the issuer.</param>
/// <param name="IsDenied">The person said no.</param>
internal sealed record RedirectCaught(byte[]? Pack, bool IsDenied);
