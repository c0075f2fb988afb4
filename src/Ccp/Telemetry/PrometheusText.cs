using System.Globalization;
using System.Text;

namespace Ccp.Telemetry;

/// <summary>Writes Prometheus' text format, version 0.0.4: families one after the other, each with its help and type before its samples.</summary>
/// <remarks>Numbers are decimal and written in full: an amount of money is read back as it was, digit for digit.</remarks>
internal sealed class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new();
    private string _family = "";

    /// <param name="name">With its unit, and <c>_total</c> if it is a counter.</param>
    /// <param name="type"><c>counter</c>, <c>gauge</c> or <c>histogram</c>.</param>
    public void Begin(string name, string type, string help)
    {
        _family = name;
        _text.Append("# HELP ").Append(name).Append(' ').Append(Escape(help, escapesQuotes: false)).Append('\n');
        _text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
    }

    /// <summary>A sample of the family that was begun last.</summary>
    public void Sample(decimal value, params ReadOnlySpan<(string Name, string Value)> labels) => Sample("", value, labels);

    /// <summary>All samples of a histogram with these labels.</summary>
    public void Histogram(Durations durations, string label, string value)
    {
        var upTo = durations.UpToBounds();
        for (var bucket = 0; bucket < Durations.Bounds.Count; bucket++)
        {
            Sample("_bucket", upTo[bucket], (label, value), ("le", Number(Seconds(Durations.Bounds[bucket]))));
        }

        Sample("_bucket", upTo[^1], (label, value), ("le", "+Inf"));
        Sample("_sum", Seconds(durations.Sum), (label, value));
        Sample("_count", upTo[^1], (label, value));
    }

    /// <summary>A family of one sample without labels.</summary>
    public void Gauge(string name, string help, decimal value)
    {
        Begin(name, "gauge", help);
        Sample(value);
    }

    public override string ToString() => _text.ToString();

    private static decimal Seconds(TimeSpan duration) => (decimal)duration.Ticks / TimeSpan.TicksPerSecond;

    private static string Number(decimal value) => value.ToString("0.############################", CultureInfo.InvariantCulture);

    private static string Escape(string text, bool escapesQuotes)
    {
        var escaped = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return escapesQuotes ? escaped.Replace("\"", "\\\"", StringComparison.Ordinal) : escaped;
    }

    private void Sample(string suffix, decimal value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        _text.Append(_family).Append(suffix);
        var before = '{';
        foreach (var label in labels)
        {
            _text.Append(before).Append(label.Name).Append("=\"").Append(Escape(label.Value, escapesQuotes: true)).Append('"');
            before = ',';
        }

        _text.Append(labels.IsEmpty ? " " : "} ").Append(Number(value)).Append('\n');
    }
}
