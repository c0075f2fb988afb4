using System.CommandLine;
using Ccp.Configuration;
using Ccp.Forwarding;
using Ccp.Issuing;
using Ccp.Licenses;
using Ccp.Licensing;

namespace Ccp.Cli;

/// <summary><c>ccp license login</c>: gets a license from an issuer and activates it.</summary>
internal static class LicenseLoginCommand
{
    /// <param name="keepIn">Where a license is kept that was fetched and could not be activated: the first folder that can be written in. Null: where the command runs, the data directory, else where temporary files are.</param>
    public static Command Build(Func<string, string?> environment, IReadOnlyDictionary<string, byte[]> keys, IReadOnlyList<string>? keepIn = null)
    {
        var issuer = new Option<string>("--issuer") { Description = "The issuer's address: https, or http on this host.", HelpName = "URL", Required = true };
        var invite = new Option<string?>("--invite") { Description = "The invite's code. Without it the issuer's page asks for it.", HelpName = "CODE" };
        var email = new Option<string?>("--email") { Description = "Whom the license is for.", HelpName = "EMAIL" };
        var device = new Option<bool>("--device") { Description = "Ask for a license that is valid only on the host of the ccp that it is activated on." };
        var loopback = new Option<bool>("--loopback") { Description = "The browser is on this host, and is sent back to ccp in the end." };
        var server = new Option<string?>("--server") { Description = "The server to activate the license on instead of this host's; needs CCP_ADMIN_TOKEN. Default: $CCP_SERVER.", HelpName = "URL" };
        var config = new Option<string?>("--config") { Description = "The configuration file, for when no server runs. Default: as for serve.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print the license as JSON in the end." };
        var command = new Command("login", "Get a license from an issuer: prints an address and a code, and waits until they are confirmed there.\n\nExample: ccp license login --issuer https://licenses.example --invite 3fz9-team-a")
        {
            issuer, invite, email, device, loopback, server, config, json,
        };
        command.SetAction(parsed => ApiCommand.RunAsync(async () =>
        {
            var stated = parsed.GetRequiredValue(issuer);
            var address = IssuerClient.AddressOf(stated) ?? throw new WrongUsageException(ProblemOf(stated));
            var folders = keepIn ?? [Directory.GetCurrentDirectory(), DataDirectory.From(environment).Path, Path.GetTempPath()];
            var target = new LicenseTarget(environment, keys, parsed.GetValue(server), parsed.GetValue(config), folders);
            var host = await target.DeviceAsync();
            using var handler = Handler(address, environment);
            using var client = new IssuerClient(address, handler, TimeProvider.System);
            var login = new LicenseLogin(client, pack => ProblemOf(pack, keys, host), LicenseCommands.Say, TimeProvider.System);
            var request = new DeviceBeginRequest(parsed.GetValue(invite), parsed.GetValue(email), parsed.GetValue(device) ? host : null);
            return await target.ActivateAsync(() => parsed.GetValue(loopback) ? login.WithLoopbackAsync(request) : login.WithDeviceCodeAsync(request), parsed.GetValue(json));
        }));
        return command;
    }

    /// <summary>Why no invite is sent to this address.</summary>
    public static string ProblemOf(string issuer) =>
        !issuer.Contains("://", StringComparison.Ordinal) ? "--issuer takes an address with its scheme, such as https://licenses.example, or http://127.0.0.1:8083 on this host."
        : issuer.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? "--issuer takes http only for an issuer on this host: an invite would cross the network in the clear. Use https."
        : "--issuer takes an https address without a query, such as https://licenses.example, or http://127.0.0.1:8083 on this host.";

    /// <summary>Why a pack counts for nothing on the host with this device; null when it counts.</summary>
    public static string? ProblemOf(byte[] pack, IReadOnlyDictionary<string, byte[]> keys, string device)
    {
        var verdict = LicensePack.Verify(pack, keys, TimeProvider.System.GetUtcNow(), device);
        return verdict.Problem is { } problem ? LicenseWords.Of(problem, verdict.Dates) : null;
    }

    /// <summary>No redirect and no cookie; through the network's proxy, as HTTPS_PROXY says, but not to this host.</summary>
    private static SocketsHttpHandler Handler(Uri address, Func<string, string?> environment)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = !address.IsLoopback };
        if (address.Scheme == "https")
        {
            handler.SslOptions.CertificateChainPolicy = TrustedRoots.Find(null, environment("SSL_CERT_FILE"), environment("SSL_CERT_DIR")).ToChainPolicy();
        }

        return handler;
    }
}
