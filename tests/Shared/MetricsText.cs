using System.Globalization;
using System.Text.RegularExpressions;

namespace Ccp.Tests.Shared;

/// <summary>A text of Prometheus' format, read strictly: a family is begun once, with its help and its type, and has no sample twice.</summary>
internal sealed partial class MetricsText
{
    private readonly Dictionary<string, decimal> _samples = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _types = new(StringComparer.Ordinal);

    public MetricsText(string text)
    {
        Text = text;
        if (!text.EndsWith('\n'))
        {
            throw new FormatException("The last line has no end.");
        }

        string? helped = null;
        string? family = null;
        foreach (var line in text[..^1].Split('\n'))
        {
            if (Help().Match(line) is { Success: true } help)
            {
                (helped, family) = (help.Groups["name"].Value, null);
            }
            else if (Type().Match(line) is { Success: true } type && type.Groups["name"].Value == helped && _types.TryAdd(helped!, type.Groups["type"].Value))
            {
                (helped, family) = (null, helped);
            }
            else if (Line().Match(line) is not { Success: true } sample || family is null || !IsOf(family, sample.Groups["name"].Value)
                || !_samples.TryAdd(sample.Groups["name"].Value + sample.Groups["labels"].Value, decimal.Parse(sample.Groups["value"].Value, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)))
            {
                throw new FormatException($"This line is wrong, or in the wrong place: {line}");
            }
        }
    }

    public string Text { get; }

    public IReadOnlyDictionary<string, string> Types => _types;

    /// <summary>The sample of that name and those labels, as written; 0 where there is none.</summary>
    public decimal this[string sample] => _samples.GetValueOrDefault(sample);

    /// <summary>All samples of a family, by their labels as written.</summary>
    public IReadOnlyDictionary<string, decimal> Family(string name) =>
        _samples.Where(sample => sample.Key.StartsWith(name + "{", StringComparison.Ordinal)).ToDictionary(sample => sample.Key[name.Length..], sample => sample.Value, StringComparer.Ordinal);

    private bool IsOf(string family, string name) =>
        name == family || (_types[family] == "histogram" && (name == family + "_bucket" || name == family + "_sum" || name == family + "_count"));

    [GeneratedRegex("^# HELP (?<name>[a-z_]+) (?:[^\\\\]|\\\\\\\\|\\\\n)+$")]
    private static partial Regex Help();

    [GeneratedRegex("^# TYPE (?<name>[a-z_]+) (?<type>counter|gauge|histogram)$")]
    private static partial Regex Type();

    [GeneratedRegex("^(?<name>[a-z_]+)(?<labels>\\{[a-z_]+=\"(?:[^\\\\\"]|\\\\[\\\\\"n])*\"(?:,[a-z_]+=\"(?:[^\\\\\"]|\\\\[\\\\\"n])*\")*\\})? (?<value>-?[0-9]+(?:\\.[0-9]+)?)$")]
    private static partial Regex Line();
}
