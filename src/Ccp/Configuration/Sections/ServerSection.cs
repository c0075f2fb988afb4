using Ccp.Configuration.Toml;

namespace Ccp.Configuration.Sections;

/// <summary><c>[server]</c>: where ccp listens, and how much it takes.</summary>
internal static class ServerSection
{
    /// <summary>Replaces <c>listen</c>: one address, or several parted by commas.</summary>
    public const string ListenVariable = "CCP_LISTEN";

    private const string ListenExpected = "an address such as \"127.0.0.1:8082\", \"[::]:443\" or \"unix:/run/ccp.sock\"";

    private const string TlsAdvice = "is open to the network without TLS; set tls_cert and tls_key, or insecure_http = true when something in front of ccp does TLS";

    private const string LocalAdvice = "is open to the network, and with auth.mode = \"local\" whoever calls needs no token; listen on 127.0.0.1, [::1] or a unix socket, or set auth.mode = \"tokens\"";

    private static readonly ListenAddress DefaultListen = Parsed("127.0.0.1:8082");

    /// <param name="isLocalMode">True: <c>auth.mode = "local"</c>, where nothing may come from elsewhere.</param>
    public static ServerConfig Read(ConfigTable table, ConfigProblems problems, string? listenVariable, bool isLocalMode)
    {
        var listen = ReadListen(table);
        var certificate = table.FilePath("tls_cert");
        var key = table.FilePath("tls_key");
        var insecure = table.Flag("insecure_http") ?? false;
        if (certificate is null != key is null)
        {
            table.Refuse(certificate is null ? "tls_key" : "tls_cert", "tls_cert and tls_key are set together or not at all");
        }

        var addresses = listen.Select(entry => entry.Address).ToList();
        if (listenVariable is not null)
        {
            addresses = ReadVariable(listenVariable, problems);
        }

        // A token sent in the clear is a token given away. A loopback address and a unix socket are where nobody can listen in.
        var advice = isLocalMode ? LocalAdvice : certificate is null && !insecure ? TlsAdvice : null;
        if (advice is not null)
        {
            foreach (var address in addresses.Where(address => !address.IsLocal))
            {
                if (listenVariable is not null)
                {
                    problems.AddEnvironment(ListenVariable, $"{address} {advice}");
                }
                else
                {
                    table.Refuse("listen", listen.First(entry => entry.Address == address).At, $"{address} {advice}");
                }
            }
        }

        var trusted = LimitsSection.ReadRanges(table, "trusted_proxies") ?? [];
        if (isLocalMode && trusted.Count > 0)
        {
            table.Refuse("trusted_proxies", "a proxy brings other hosts' calls, and with auth.mode = \"local\" whoever calls needs no token; leave one of the two out");
        }

        var config = new ServerConfig(
            addresses,
            certificate,
            key,
            insecure,
            trusted,

            // The ceiling is what one buffer can hold; below the floor no conversation fits.
            table.ByteSize("max_body", 64 << 10, 1 << 30) ?? 32 << 20,
            table.Duration("drain", TimeSpan.Zero, TimeSpan.FromHours(1)) ?? TimeSpan.FromSeconds(30),
            UriSetting.Read(table, "upstream_proxy", "http"),
            table.FilePath("ca_file"));
        table.RefuseUnknown();
        return config;
    }

    private static List<(ListenAddress Address, TomlPosition At)> ReadListen(ConfigTable table)
    {
        var listen = new List<(ListenAddress Address, TomlPosition At)>();
        if (table.Texts("listen", ListenExpected) is not { } texts)
        {
            return [(DefaultListen, table.At)];
        }

        foreach (var text in texts)
        {
            if (!ListenAddress.TryParse(text.Text, out var address))
            {
                table.Refuse("listen", text.At, $"expected {ListenExpected}, found \"{ConfigTable.Shown(text.Text)}\"");
            }
            else if (IsTaken(address!, listen.Select(entry => entry.Address)))
            {
                table.Refuse("listen", text.At, $"{address} is listed twice");
            }
            else
            {
                listen.Add((address!, text.At));
            }
        }

        if (texts.Count == 0 && table.Has("listen"))
        {
            table.Refuse("listen", "an empty list leaves nowhere to listen");
        }

        return listen;
    }

    private static List<ListenAddress> ReadVariable(string value, ConfigProblems problems)
    {
        var addresses = new List<ListenAddress>();
        foreach (var text in value.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!ListenAddress.TryParse(text, out var address))
            {
                problems.AddEnvironment(ListenVariable, $"expected {ListenExpected}, found \"{ConfigTable.Shown(text)}\"");
            }
            else if (IsTaken(address!, addresses))
            {
                problems.AddEnvironment(ListenVariable, $"{address} is listed twice");
            }
            else
            {
                addresses.Add(address!);
            }
        }

        return addresses;
    }

    /// <summary>Port 0 lets the system choose, and it chooses another one each time.</summary>
    private static bool IsTaken(ListenAddress address, IEnumerable<ListenAddress> earlier) =>
        address.EndPoint?.Port != 0 && earlier.Contains(address);

    private static ListenAddress Parsed(string text) => ListenAddress.TryParse(text, out var address) ? address! : throw new FormatException(text);
}
