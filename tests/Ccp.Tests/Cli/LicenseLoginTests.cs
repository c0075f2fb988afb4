using System.CommandLine;
using System.Net;
using System.Text;
using System.Text.Json;
using Ccp.Cli;
using Ccp.Licenses;
using Ccp.Listening;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;
using Microsoft.AspNetCore.Http;

namespace Ccp.Tests.Cli;

/// <summary>What becomes of an invite: nothing is asked of the issuer where a license could not be activated, and one that came is not lost.</summary>
public sealed class LicenseLoginTests : IAsyncDisposable
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    private static readonly string OtherHost = Convert.ToBase64String(Enumerable.Repeat((byte)7, 32).ToArray());

    private readonly TempFolder _folder = new();
    private readonly HttpClient _browser = new();
    private readonly Dictionary<string, string> _environment = [];
    private readonly List<string> _begun = [];
    private readonly List<string> _activated = [];
    private readonly SmallServer _issuer;
    private readonly SmallServer _ccp;
    private string _pack = IssuedLicense.Pack(Now);
    private string _source = "/var/lib/ccp/license.pack";
    private int _status = 200;

    public LicenseLoginTests()
    {
        _environment["CCP_HOME"] = _folder["home"];
        _issuer = new SmallServer(new IPEndPoint(IPAddress.Loopback, 0), 16_384, async http => await SendAsync(http, 200, await IssueAsync(http)));
        _ccp = new SmallServer(new IPEndPoint(IPAddress.Loopback, 0), 16_384, AdministerAsync);
    }

    private string Kept => Assert.Single(Directory.GetFiles(_folder["kept"]));

    public async ValueTask DisposeAsync()
    {
        _browser.Dispose();
        foreach (var server in new[] { _issuer, _ccp })
        {
            await server.StopAsync(CancellationToken.None);
            server.Dispose();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task A_license_that_comes_is_activated_and_kept_nowhere_else()
    {
        Assert.Equal(ExitCodes.Ok, await LoginAsync());

        Assert.Equal(_pack, File.ReadAllText(_folder["home/license.pack"]).Trim());
        Assert.Empty(Directory.GetFiles(_folder["kept"]));
        Assert.Equal(JsonValueKind.Undefined, Begun("device").ValueKind);
    }

    [Theory]
    [InlineData("CC_LICENSE_PACK")]
    [InlineData("CC_LICENSE_SIG")]
    public async Task Where_a_variable_decides_no_login_is_begun(string variable)
    {
        _environment[variable] = "{}";

        Assert.Equal(ExitCodes.Failed, await LoginAsync());
        Assert.Empty(_begun);
    }

    [Fact]
    public async Task Where_a_variable_decides_on_a_server_no_login_is_begun()
    {
        _source = "CC_LICENSE_PACK";

        Assert.Equal(ExitCodes.Failed, await LoginToServerAsync());
        Assert.Empty(_begun);
    }

    [Fact]
    public async Task Without_a_token_for_the_server_no_login_is_begun()
    {
        _environment["CCP_SERVER"] = "http://127.0.0.1:9";

        Assert.Equal(ExitCodes.WrongUsage, await LoginAsync());
        Assert.Empty(_begun);
    }

    [Fact]
    public async Task A_license_for_one_host_is_for_the_server_s()
    {
        _pack = IssuedLicense.Pack(Now, device: OtherHost);

        Assert.Equal(ExitCodes.Ok, await LoginToServerAsync("--device"));
        Assert.Equal(OtherHost, Begun("device").GetString());
        Assert.Equal([_pack], _activated);
    }

    [Fact]
    public async Task A_license_that_cannot_be_activated_is_kept_for_its_owner()
    {
        _status = 409;

        Assert.Equal(ExitCodes.Failed, await LoginToServerAsync());
        Assert.Equal(_pack, File.ReadAllText(Kept));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Kept));
    }

    [Fact]
    public async Task A_license_that_does_not_count_here_is_kept_too()
    {
        _pack = IssuedLicense.Tampered(_pack);

        Assert.Equal(ExitCodes.Failed, await LoginToServerAsync());
        Assert.Equal(_pack, File.ReadAllText(Kept));
        Assert.Empty(_activated);
    }

    [Fact]
    public async Task Where_nothing_can_be_kept_the_login_fails_as_it_would()
    {
        _status = 409;

        Assert.Equal(ExitCodes.Failed, await LoginToServerAsync(keepIn: [_folder["missing"]]));
    }

    private async Task<int> LoginToServerAsync(string option = "--json", IReadOnlyList<string>? keepIn = null)
    {
        await _ccp.StartAsync();
        _environment["CCP_SERVER"] = _ccp.Address.AbsoluteUri;
        _environment["CCP_ADMIN_TOKEN"] = "token";
        return await LoginAsync(option, keepIn);
    }

    /// <summary>With a browser that is back before the login looks for it.</summary>
    private async Task<int> LoginAsync(string option = "--json", IReadOnlyList<string>? keepIn = null)
    {
        await _issuer.StartAsync();
        Directory.CreateDirectory(_folder["kept"]);
        var root = new RootCommand { LicenseLoginCommand.Build(_environment.GetValueOrDefault, IssuedLicense.Keys, keepIn ?? [_folder["missing"], _folder["kept"]]) };
        return await root.Parse(["login", "--issuer", _issuer.Address.AbsoluteUri, "--loopback", option]).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }

    private async Task<string> IssueAsync(HttpContext http)
    {
        var body = await ReadAsync(http);
        if (http.Request.Path == "/v1/device/poll")
        {
            return $$"""{"status":"ok","license_pack":{{_pack}}}""";
        }

        _begun.Add(body);
        using var back = await _browser.GetAsync(new Uri(Begun("redirect_url").GetString() + "&status=ok"));
        return """{"user_code":"A","poll_token":"t","authorize_url":"https://issuer.example/a","interval":1,"expires_in":600}""";
    }

    /// <summary>A server on another host, as far as it says.</summary>
    private async Task AdministerAsync(HttpContext http)
    {
        if (HttpMethods.IsPost(http.Request.Method))
        {
            _activated.Add(JsonDocument.Parse(await ReadAsync(http)).RootElement.GetProperty("pack").GetString()!);
            await SendAsync(http, _status, _status == 200 ? View() : """{"error":"The license was not taken up."}""");
            return;
        }

        await SendAsync(http, 200, View());
    }

    private string View() => $$"""{"edition":"community","features":[],"reason":"{{LicenseWords.None}}","source":"{{_source}}","device":"{{OtherHost}}","deviceBound":false}""";

    private JsonElement Begun(string member) => JsonDocument.Parse(Assert.Single(_begun)).RootElement.TryGetProperty(member, out var value) ? value : default;

    private static async Task<string> ReadAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        return await reader.ReadToEndAsync();
    }

    private static async Task SendAsync(HttpContext http, int status, string json)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(json));
    }
}
