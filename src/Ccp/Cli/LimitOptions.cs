using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;

namespace Ccp.Cli;

/// <summary>The options of <c>ccp user add</c> and <c>ccp user update</c> that set a user's own limits. "default" takes one away.</summary>
internal sealed class LimitOptions
{
    private const string Default = "default";

    private readonly List<(Option<string?> Option, string Member, Action<Utf8JsonWriter, string> Write)> _options = [];

    public LimitOptions()
    {
        Add("--concurrent", "concurrent", "Model calls at once.", "N", WriteCount);
        Add("--requests-per-minute", "requestsPerMinute", "Model calls a minute; 0: no limit.", "N", WriteCount);
        Add("--tokens-per-minute", "tokensPerMinute", "Tokens a minute, without those read from the cache; 0: no limit.", "N", WriteCount);
        Add("--spend-per-day", "spendPerDay", "Dollars charged in a day (UTC); 0: no limit.", "USD", static (json, value) => json.WriteStringValue(Amounts.Checked(value)));
        Add("--spend-per-month", "spendPerMonth", "Dollars charged in a month (UTC); 0: no limit.", "USD", static (json, value) => json.WriteStringValue(Amounts.Checked(value)));
        Add("--models", "models", "The only models allowed, as ids or patterns parted by commas.", "PATTERNS", WriteList);
        Add("--allow-from", "allowFrom", "Where calls may come from, as addresses or ranges parted by commas.", "CIDRS", WriteList);
        Add("--expires", "expires", "When the user is shut out: a date (its beginning, UTC), or a moment such as 2027-01-31T18:00:00Z.", "DATE", static (json, value) => json.WriteStringValue(value));
    }

    public void AddTo(Command command)
    {
        foreach (var (option, _, _) in _options)
        {
            command.Add(option);
        }
    }

    public bool AreIn(CommandResult command) => _options.Exists(entry => command.GetResult(entry.Option) is not null);

    /// <returns>The object that the administration API takes as <c>limits</c>; null when no option was given.</returns>
    public string? Json(ParseResult parsed)
    {
        if (!AreIn(parsed.CommandResult))
        {
            return null;
        }

        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            foreach (var (option, member, write) in _options)
            {
                if (parsed.GetValue(option) is { } value)
                {
                    json.WritePropertyName(member);
                    WriteValue(json, value, write);
                }
            }

            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(body.ToArray());
    }

    private void Add(string name, string member, string description, string what, Action<Utf8JsonWriter, string> write) =>
        _options.Add((new Option<string?>(name) { Description = description, HelpName = $"{what}|{Default}" }, member, write));

    private static void WriteValue(Utf8JsonWriter json, string value, Action<Utf8JsonWriter, string> write)
    {
        if (value == Default)
        {
            json.WriteNullValue();
        }
        else
        {
            write(json, value);
        }
    }

    private static void WriteCount(Utf8JsonWriter json, string value) => json.WriteNumberValue(
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : throw new WrongUsageException($"A limit is a whole number, or \"{Default}\"."));

    private static void WriteList(Utf8JsonWriter json, string value)
    {
        json.WriteStartArray();
        foreach (var item in value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            json.WriteStringValue(item);
        }

        json.WriteEndArray();
    }
}
