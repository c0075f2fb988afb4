using System.Text.Json;
using Ccp.Configuration;
using Ccp.Configuration.Sections;
using Ccp.Identity;
using Ccp.Pricing;

namespace Ccp.Admin;

/// <summary>The JSON object of a request. A member that is null counts as left out.</summary>
/// <remarks>Errors: <see cref="AdminRefusedException"/> with status 400. No message repeats a value: it may be a secret in the wrong place.</remarks>
internal sealed class AdminBody
{
    private readonly Dictionary<string, JsonElement> _members = new(StringComparer.Ordinal);

    /// <param name="known">What this operation understands. Anything else is refused: a misspelt member must not pass for one left out.</param>
    public AdminBody(ReadOnlyMemory<byte> json, params ReadOnlySpan<string> known)
    {
        if (json.IsEmpty)
        {
            return;
        }

        foreach (var (name, value) in Read(json))
        {
            if (!known.Contains(name))
            {
                throw AdminRefusedException.Malformed($"The body has a member that is not understood here. Understood are: {string.Join(", ", known.ToArray())}.");
            }

            if (!_members.TryAdd(name, value))
            {
                throw AdminRefusedException.Malformed($"The body states {name} twice.");
            }
        }
    }

    public string? Text(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        _ => throw AdminRefusedException.Malformed($"{name} must be a string."),
    };

    /// <summary>Text that will stand in the ledger, in a table and in a log.</summary>
    public string? Line(string name, int lengthMax)
    {
        var text = Text(name);
        return text is null || (text.Length <= lengthMax && !text.Any(char.IsControl))
            ? text
            : throw AdminRefusedException.Malformed($"{name} must be one line of at most {lengthMax} characters.");
    }

    public bool? Flag(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw AdminRefusedException.Malformed($"{name} must be true or false."),
    };

    /// <summary>Dollars, read from the digits as they were written: no binary fraction comes between.</summary>
    public NanoUsd? Money(string name) => Find(name) is not { } value
        ? null
        : NanoUsd.TryParse(Digits(value), out var amount)
            ? amount
            : throw AdminRefusedException.Malformed($"{name} must be an amount of dollars such as 50 or 0.25: digits, at most one point, at most nine decimals.");

    /// <summary>A secret that travels in a header. Empty: take the one that stands away.</summary>
    public Secret? HeaderSecret(string name)
    {
        const int LengthMax = 4096;
        var text = Text(name)?.Trim();
        return text is null ? null
            : text.Length <= LengthMax && text.All(c => c is > ' ' and <= '~') ? new Secret(text)
            : throw AdminRefusedException.Malformed($"{name} holds a blank, a line break or a letter that a header cannot carry.");
    }

    /// <summary>A factor, or "default" for the one of <c>[billing]</c>.</summary>
    public MarkupChange? Markup(string name)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        var digits = Digits(value);
        if (digits == "default")
        {
            return new MarkupChange(null);
        }

        return NanoUsd.TryParse(digits, out var factor) && factor >= NanoUsd.Zero && factor.ToUsd() <= BillingSection.MarkupMax
            ? new MarkupChange(factor.ToUsd())
            : throw AdminRefusedException.Malformed($"{name} must be a factor from 0 to {BillingSection.MarkupMax}, or \"default\".");
    }

    public LimitsChange? Limits(string name)
    {
        try
        {
            return Find(name) is { } value ? LimitsChange.Parse(value) : null;
        }
        catch (Exception error) when (error is FormatException or InvalidOperationException)
        {
            throw AdminRefusedException.Malformed(error.Message);
        }
    }

    private static string? Digits(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.String => value.GetString(),
        _ => null,
    };

    private static List<(string Name, JsonElement Value)> Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                var members = new List<(string Name, JsonElement Value)>();
                foreach (var member in document.RootElement.EnumerateObject())
                {
                    // Asked for here, where half a surrogate pair still can be refused.
                    _ = member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString() : null;
                    members.Add((member.Name, member.Value.Clone()));
                }

                return members;
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // Said below, as for any other text that is not an object.
        }

        throw AdminRefusedException.Malformed("The body must be a JSON object.");
    }

    private JsonElement? Find(string name) => _members.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}

/// <param name="Factor">Null: the one of <c>[billing]</c>.</param>
internal sealed record MarkupChange(decimal? Factor);
