using System.Text.RegularExpressions;
using Ccp.Configuration;

namespace Ccp.Tests.Configuration;

/// <summary>The example in the repository's root is what operators copy: it must be right in both of its forms.</summary>
public sealed partial class ExampleTests
{
    public static readonly string Text = File.ReadAllText(Path.Combine(Repository.Root, "config.example.toml"));

    private static readonly Dictionary<string, string> Environment = new()
    {
        ["DEFAULT_ANTHROPIC_API_KEY"] = "default",
        ["TEAM_A_KEY"] = "team",
        ["ALICE_TOKEN"] = Configured.Token,
    };

    [Fact]
    public void As_it_stands_the_example_means_the_defaults()
    {
        AssertDefaults(Configured.Good(Text, Environment));
    }

    [Fact]
    public void With_every_line_enabled_the_example_still_means_the_defaults_and_adds_what_it_names()
    {
        var result = Configured.Result(Enabled(), Environment);

        Assert.Empty(result.Problems);
        Assert.Empty(result.Warnings);
        var config = result.Config!;
        AssertDefaults(config);
        Assert.Equal("team-a", Assert.Single(config.Keys).Name);
        Assert.Equal(["alice", "bob"], config.Users.Select(user => user.Name));
        var price = Assert.Single(config.Prices);
        Assert.NotNull(price.Above);
        Assert.NotNull(price.Fast);
        Assert.Equal(["ALICE_TOKEN", "DEFAULT_ANTHROPIC_API_KEY", "TEAM_A_KEY"], result.EnvironmentInForce);
    }

    [Fact]
    public void The_example_leaves_out_no_setting()
    {
        // Drawn from the sources of the reader: a setting that the example lacks would be one that nobody learns of.
        var sources = Directory.GetFiles(Path.Combine(Repository.Root, "src", "Ccp", "Configuration", "Sections")).Select(File.ReadAllText);
        var names = sources.SelectMany(source => SettingRead().Matches(source)).Select(match => match.Groups[1].Value).Distinct().ToList();

        Assert.True(names.Count > 45, $"Only {names.Count} settings were found in the sources.");
        Assert.All(names, name => Assert.Matches($@"(?m)(^|[ {{]){name} = ", Enabled()));
    }

    /// <summary>The text with the "# " taken off every line that holds a setting or a header.</summary>
    public static string Enabled() => CommentedSetting().Replace(Text, "$1");

    private static void AssertDefaults(CcpConfig config)
    {
        var defaults = ConfigReader.Default(Environment.GetValueOrDefault).Config!;
        Assert.Equal(defaults.Server.Listen, config.Server.Listen);
        Assert.Equal(defaults.Server, config.Server with { Listen = defaults.Server.Listen, TrustedProxies = defaults.Server.TrustedProxies });
        Assert.Empty(config.Server.TrustedProxies);
        Assert.Equal(defaults.Auth, config.Auth);
        Assert.Equal(defaults.Limits, config.Limits);
        Assert.Equal(defaults.Billing, config.Billing);
        Assert.Equal(defaults.Storage, config.Storage);
        Assert.Equal(defaults.Logs, config.Logs);
        Assert.Equal(defaults.License, config.License);
        Assert.Equal(defaults.Policy, config.Policy with { PublicKeys = defaults.Policy.PublicKeys });
        Assert.Empty(config.Policy.PublicKeys);
        Assert.Equal(defaults.Routing, config.Routing with { Routes = defaults.Routing.Routes });
        Assert.Equal(["anthropic", "zai"], config.Lanes.Select(lane => lane.Name));
        Assert.All(config.Lanes.Zip(defaults.Lanes), pair =>
        {
            var (lane, byDefault) = pair;
            Assert.Empty(lane.ForwardHeaders);
            Assert.Equal(byDefault.ModelMap, lane.ModelMap);
            Assert.Equal(byDefault, lane with { ForwardHeaders = byDefault.ForwardHeaders, ModelMap = byDefault.ModelMap });
        });
    }

    [GeneratedRegex(@"(?m)^# (\[\[?[a-z]+\]\]?$|[a-z_0-9]+ = )")]
    private static partial Regex CommentedSetting();

    /// <summary>A call whose first argument, the table aside, is a setting's name: <c>table.Flag("http2")</c>.</summary>
    [GeneratedRegex(@"\w\((?:table, )?\s*""([a-z][a-z_0-9]+)""[,)]")]
    private static partial Regex SettingRead();
}
