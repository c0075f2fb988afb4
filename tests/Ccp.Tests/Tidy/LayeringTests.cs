using System.Text.RegularExpressions;

namespace Ccp.Tests.Tidy;

/// <summary>
/// Goal: money is decided in places that know nothing of HTTP, storage or each other, and it stays so.
/// Method: which folder of src/Ccp names which other is read from the sources and compared with the table; what is not in it may not be used.
/// </summary>
public sealed partial class LayeringTests
{
    private const string Anything = "*";

    private static readonly Dictionary<string, string> MayUse = new()
    {
        ["Pricing"] = "",
        ["Refusals"] = "",
        ["Telemetry"] = "",
        ["Files"] = "",
        ["Metering"] = "Pricing",
        ["Store"] = "Files Telemetry",
        ["Configuration"] = "Pricing Refusals Telemetry",
        ["Licenses"] = "Configuration Files Telemetry",
        ["Issuing"] = "Configuration Files Licenses Limits Listening Telemetry",
        ["Identity"] = "Files Store Refusals Configuration Pricing",
        ["Ledger"] = "Files Store Pricing Refusals Telemetry Identity",
        ["Quotas"] = "Configuration Pricing Refusals Store Telemetry",
        ["Policies"] = "Configuration Files Forwarding Telemetry",
        ["Routing"] = "Files Pricing Configuration Quotas Refusals Identity Ledger Telemetry",
        ["Limits"] = "Configuration Identity Pricing Refusals Telemetry",
        ["Thinking"] = "Configuration Metering Routing Store",
        ["Forwarding"] = "Thinking Routing Metering Configuration Quotas Refusals Telemetry Ledger Pricing Store",
        ["Usage"] = "Store Pricing Quotas Refusals Telemetry Configuration Identity Routing Ledger Forwarding",
        ["Relay"] = "Configuration Forwarding Identity Ledger Limits Metering Pricing Quotas Refusals Routing Store Telemetry Thinking Usage",
        ["Admin"] = "Identity Ledger Limits Usage Pricing Quotas Routing Refusals Configuration Store Telemetry Listening Licenses Forwarding",
        ["Listening"] = "Relay Admin Limits Refusals Configuration Telemetry Forwarding",
        ["Cli"] = Anything,
        [""] = Anything,
    };

    public static TheoryData<string> Folders => [.. MayUse.Keys];

    [Fact]
    public void Every_folder_is_in_the_table()
    {
        Assert.Equal(MayUse.Keys.Order(StringComparer.Ordinal), Sources.All.Select(file => Sources.FolderOf(file.Path)).Distinct().Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_folder_uses_only_what_is_below_it(string folder)
    {
        if (MayUse[folder] == Anything)
        {
            return;
        }

        var allowed = MayUse[folder].Split(' ').Append(folder).ToHashSet(StringComparer.Ordinal);
        var strays = Sources.All
            .Where(file => Sources.FolderOf(file.Path) == folder)
            .SelectMany(file => Uses(file.Text).Where(used => !allowed.Contains(used)).Select(used => $"{file.Path} uses {used}"));
        Assert.Empty(strays);
    }

    [Fact]
    public void A_use_is_seen_in_either_spelling()
    {
        Assert.Equal(["Ledger", "Relay", "Store"], Uses("using Ccp.Store;\nnamespace Ccp.Pricing;\nvar a = Ccp.Relay.X.Y;\nLedger.AccountLedger b;\n// Ccp.Cli.Z\n").Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Uses(string text) =>
        Use().Matches(Sources.Code(text)).Select(match => match.Groups["folder"].Value).Where(MayUse.ContainsKey).Distinct();

    /// <summary>A using directive, or a name with its folder before it. The namespace of the file itself is no use.</summary>
    [GeneratedRegex(@"(?<!namespace )\bCcp\.(?<folder>[A-Z]\w+)|(?<![\w.""])(?<folder>Admin|Cli|Configuration|Forwarding|Identity|Ledger|Limits|Listening|Metering|Pricing|Refusals|Relay|Routing|Store|Telemetry|Usage)\.(AccountLedger|AdminApi|MeterReading|ForwardResult|[A-Z]\w+(Config|Book|Store|Relay|Queue|Ledger))\b")]
    private static partial Regex Use();
}
