using Ccp.Configuration.Toml;
using Ccp.Pricing;

namespace Ccp.Configuration;

/// <summary>The kinds of value a setting can have.</summary>
internal sealed partial class ConfigTable
{
    public string? Text(string key) => Get(key) switch
    {
        null => null,
        TomlString text => text.Text,
        var other => Wrong<string>(key, "text in quotes", other),
    };

    /// <summary>Text where <c>""</c> means: not set.</summary>
    public string? TextOrEmpty(string key) => Text(key) is { Length: > 0 } text ? text : null;

    /// <summary>Text that is not to be repeated, whatever is wrong with it.</summary>
    public string? TextOfSecret(string key)
    {
        var value = Get(key);
        if (value is not null and not TomlString)
        {
            Refuse(key, "expected text in quotes");
        }

        return (value as TomlString)?.Text;
    }

    /// <summary>A file's path; <c>""</c> means: not set.</summary>
    public string? FilePath(string key)
    {
        var text = TextOrEmpty(key);
        if (text is null || !text.Any(char.IsControl))
        {
            return text;
        }

        Refuse(key, "a path cannot hold a control character");
        return null;
    }

    /// <summary>One text, or a list of them.</summary>
    public IReadOnlyList<TomlString>? Texts(string key, string expected)
    {
        var value = Get(key);
        if (value is null)
        {
            return null;
        }

        var items = value is TomlArray list ? list.Items : [value];
        foreach (var item in items.Where(item => item is not TomlString))
        {
            Wrong<string>(key, expected, item);
        }

        return [.. items.OfType<TomlString>()];
    }

    /// <summary>Whether exactly this word is stated, where something else may be.</summary>
    public bool IsWord(string key, string word) => Get(key) is TomlString text && text.Text == word;

    public bool? Flag(string key)
    {
        var value = Get(key);
        return value switch
        {
            null => null,
            TomlBoolean flag => flag.Value,
            _ => Wrong<bool?>(key, "true or false", value),
        };
    }

    public long? WholeNumber(string key, long min, long max)
    {
        var value = Get(key);
        return value switch
        {
            null => null,
            TomlInteger number when number.Value >= min && number.Value <= max => number.Value,
            _ => Wrong<long?>(key, max == long.MaxValue ? $"a whole number of at least {min}" : $"a whole number from {min} to {max}", value),
        };
    }

    public TimeSpan? Duration(string key, TimeSpan min, TimeSpan max)
    {
        var value = Get(key);
        return value switch
        {
            null => null,
            TomlString text when Quantities.TryParseDuration(text.Text, out var duration) && duration >= min && duration <= max => duration,
            _ => Wrong<TimeSpan?>(
                key,
                $"a duration from \"{Quantities.Format(min)}\" to \"{Quantities.Format(max)}\" (a number and ms, s, m, h or d, in quotes)",
                value),
        };
    }

    /// <returns>Bytes.</returns>
    public long? ByteSize(string key, long min, long max)
    {
        var value = Get(key);
        return value switch
        {
            null => null,
            TomlString text when Quantities.TryParseBytes(text.Text, out var bytes) && bytes >= min && bytes <= max => bytes,
            TomlInteger number when number.Value >= min && number.Value <= max => number.Value,
            _ => Wrong<long?>(key, $"a size from \"{Quantities.Format(min)}\" to \"{Quantities.Format(max)}\"", value),
        };
    }

    /// <summary>An amount or a factor, not negative, exactly as written: it never passes through a binary floating-point number.</summary>
    public NanoUsd? Decimal(string key, string what, long max = 1_000_000_000)
    {
        var value = Get(key);
        if (value is null)
        {
            return null;
        }

        var raw = value switch
        {
            TomlString text => text.Text,
            TomlInteger number => number.Raw,
            TomlFloat number => number.Raw,
            _ => "",
        };
        return NanoUsd.TryParse(raw, out var amount) && amount >= NanoUsd.Zero && amount.Value <= max * NanoUsd.PerDollar
            ? amount
            : Wrong<NanoUsd?>(key, $"{what} from 0 to {max}, with at most {NanoUsd.DecimalsMax} decimals and no exponent", value);
    }

    public T? Choice<T>(string key, params ReadOnlySpan<(string Word, T Meaning)> choices) where T : struct
    {
        var value = Get(key);
        if (value is null)
        {
            return null;
        }

        var words = new List<string>();
        foreach (var (word, meaning) in choices)
        {
            if (value is TomlString text && text.Text == word)
            {
                return meaning;
            }

            words.Add($"\"{word}\"");
        }

        return Wrong<T?>(key, string.Join(" or ", words), value);
    }

    /// <summary>A date means its first moment in UTC; so does a date-time without an offset.</summary>
    public DateTimeOffset? Moment(string key)
    {
        var value = Get(key);
        if (value is null)
        {
            return null;
        }

        if (value is not TomlDateTime { Date: { } date } moment)
        {
            return Wrong<DateTimeOffset?>(key, "a date (2026-10-01, without quotes) or a date with a time", value);
        }

        var ticks = date.ToDateTime(moment.Time ?? TimeOnly.MinValue).Ticks - (moment.Offset ?? TimeSpan.Zero).Ticks;
        return ticks >= DateTime.MinValue.Ticks && ticks <= DateTime.MaxValue.Ticks
            ? new DateTimeOffset(ticks, TimeSpan.Zero)
            : Wrong<DateTimeOffset?>(key, "a moment within the years 1 to 9999", value);
    }
}
