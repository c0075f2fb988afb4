using System.Globalization;
using System.Text.Json;

namespace Ccp.Cli;

/// <summary>The lines of a receipt, and of a worked example, with their sum.</summary>
internal static class ChargeLineTable
{
    public static void Print(JsonElement lines, string sumName, string sum)
    {
        var hasPasses = lines.EnumerateArray().Any(line => line.Text("pass").Length > 0);
        var rows = lines.EnumerateArray().Select(line => new[]
        {
            (hasPasses && line.Text("pass") is { Length: > 0 } pass ? $"{pass}. " : "") + NameOf(line.Text("item")),
            line.Text("row") + (line.Text("basis") is { Length: > 0 } and not "standard" ? $" ({line.Text("basis")})" : ""),
            line.Text("count"),
            line.Text("unitUsd"),
            PerOf(line),
            FactorsOf(line),
            line.ExactDollars("usd"),
        });
        Terminal.Table(["Item", "Price of", " Units", " USD", "per", "Factors", " Comes to USD"], [.. rows, [sumName, "", "", "", "", "", sum]]);
    }

    private static string NameOf(string item) => item switch
    {
        "input" => "input tokens",
        "cache_write_5m" => "cache write, 5 min",
        "cache_write_1h" => "cache write, 1 h",
        "cache_read" => "cache read",
        "output" => "output tokens",
        "web_searches" => "web searches",
        "rounding_up" => "rounding up",
        "not_charged" => "not charged",
        _ => item,
    };

    private static string PerOf(JsonElement line) => line.Text("per") switch
    {
        "1000000" => "million",
        "1000" => "thousand",
        var other => other,
    };

    private static string FactorsOf(JsonElement line)
    {
        var factors = new List<string>();
        foreach (var (member, name) in new[] { ("geoFactor", "us"), ("batchFactor", "batch"), ("markup", "markup") })
        {
            if (line.Text(member) is { Length: > 0 } factor && decimal.Parse(factor, CultureInfo.InvariantCulture) != 1m)
            {
                factors.Add($"x {factor} {name}");
            }
        }

        return string.Join(' ', factors);
    }
}
