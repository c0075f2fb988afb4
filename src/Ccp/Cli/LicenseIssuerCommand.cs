using System.CommandLine;
using System.Net;
using Ccp.Configuration;
using Ccp.Issuing;
using Ccp.Listening;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ccp.Cli;

/// <summary><c>ccp license issuer</c>: serves licenses to whoever has an invite.</summary>
internal static class LicenseIssuerCommand
{
    public static Command Build()
    {
        var key = LicenseIssueCommands.KeyFile();
        var invites = new Option<string>("--invites") { Description = "The invites, in a file that nobody else can read: TOML or JSON; read again when it changes.", HelpName = "FILE", Required = true };
        var redemptions = new Option<string?>("--redemptions") { Description = "Where redemptions are counted. Default: the invites' file with .redeemed.json after it.", HelpName = "FILE" };
        var listen = new Option<string>("--listen") { Description = "Where to listen.", HelpName = "ADDR", DefaultValueFactory = _ => "127.0.0.1:8083" };
        var url = new Option<string?>("--url") { Description = "The https address that people reach the issuer by, when something in front of it does TLS. Needed to listen beyond this host.", HelpName = "URL" };
        var proxies = new Option<string[]>("--trusted-proxy")
        {
            Description = "Whose x-forwarded-for is believed: the addresses of what does TLS in front, such as 10.0.0.0/8. May be given several times.",
            HelpName = "RANGE",
        };
        var command = new Command("issuer", "Serve licenses to whoever has an invite, until it is told to stop.\n\nExample: ccp license issuer --key license.key --invites invites.toml")
        {
            key, invites, redemptions, listen, url, proxies,
        };
        command.SetAction(parsed => ApiCommand.RunAsync(async () =>
        {
            var file = parsed.GetRequiredValue(invites);
            var end = EndPointOf(parsed.GetRequiredValue(listen), parsed.GetValue(url), out var publicUrl);
            var trusted = RangesOf(parsed.GetValue(proxies) ?? []);
            if (publicUrl is not null && trusted.Count == 0)
            {
                Console.Error.WriteLine("Without --trusted-proxy everybody who comes through what does TLS in front counts as one address, and one who guesses uses up the tries of all.");
            }

            await using var logging = ProcessLog.Create(new LogsConfig("", 0, TimeSpan.Zero, 0, LogLevel.Information, LogFormat.Text));
            var log = logging.GetRequiredService<ILoggerFactory>().CreateLogger("ccp");
            using var counts = new Redemptions(parsed.GetValue(redemptions) ?? file + ".redeemed.json");
            var book = new InviteBook(file, log);
            var issuer = new Issuer(LicenseIssueCommands.ReadKey(parsed.GetRequiredValue(key)), book, counts, TimeProvider.System, log);
            using var server = Serve(issuer, end, publicUrl, trusted, TimeProvider.System, log);
            await server.StartAsync();
            Console.WriteLine($"listening on {server.Address.GetLeftPart(UriPartial.Authority)}");
            await RunningServer.UntilToldToStopAsync();
            using var cut = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await server.StopAsync(cut.Token);
            return ExitCodes.Ok;
        }));
        return command;
    }

    public static SmallServer Serve(Issuer issuer, IPEndPoint endPoint, Uri? publicUrl, IReadOnlyList<IPNetwork> trustedProxies, TimeProvider time, ILogger log) =>
        new(endPoint, IssuerEndpoint.BodyBytesMax, new IssuerEndpoint(issuer, new PendingLogins(time), publicUrl, trustedProxies, time, log).AnswerAsync);

    /// <exception cref="WrongUsageException">One is no address range.</exception>
    public static IReadOnlyList<IPNetwork> RangesOf(IEnumerable<string> texts) => [.. texts.Select(text =>
        AddressRange.TryParse(text, out var range) ? range : throw new WrongUsageException($"--trusted-proxy takes {AddressRange.Expected}."))];

    /// <exception cref="WrongUsageException">It is no address, or invites would cross a network in the clear.</exception>
    public static IPEndPoint EndPointOf(string listen, string? url, out Uri? publicUrl)
    {
        publicUrl = null;
        if (url is not null && ((publicUrl = IssuerClient.AddressOf(url)) is null))
        {
            throw new WrongUsageException("--url takes an https address, for example https://licenses.example.");
        }

        if (!ListenAddress.TryParse(listen, out var address) || address is not { EndPoint: { } endPoint })
        {
            throw new WrongUsageException("--listen takes an address such as 127.0.0.1:8083.");
        }

        return IPAddress.IsLoopback(endPoint.Address) || publicUrl is { Scheme: "https" }
            ? endPoint
            : throw new WrongUsageException("Beyond this host invites would cross the network in the clear. Put something that does TLS in front, and give its https address with --url.");
    }
}
