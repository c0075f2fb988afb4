using System.Text.Json;
using Ccp.Pricing;

namespace Ccp.Metering;

/// <summary>One <c>usage</c> object as the provider sent it: what it names, and nothing it does not.</summary>
internal struct ReportedUsage
{
    public ReportedTokens Tokens;
    public long? WebSearches;
    public string? ServiceTier;
    public string? InferenceGeo;
    public string? Speed;

    /// <summary>Null when not named; empty when named and without a token.</summary>
    public IReadOnlyList<UsageIteration>? Iterations;

    /// <summary>A number in it cannot be true. It is not among the others.</summary>
    public bool IsSuspect;

    public readonly bool HasNonZero => Tokens.HasNonZero || Iterations is { Count: > 0 };

    /// <param name="reader">Inside the object, before its first member; left on its end.</param>
    public static ReportedUsage Read(ref Utf8JsonReader reader)
    {
        var usage = default(ReportedUsage);
        while (reader.ReadMember())
        {
            if (usage.Tokens.TryRead(ref reader, ref usage.IsSuspect))
            {
                continue;
            }

            if (reader.ValueTextEquals("server_tool_use"u8))
            {
                usage.ReadServerTools(ref reader);
            }
            else if (reader.ValueTextEquals("iterations"u8))
            {
                usage.ReadIterations(ref reader);
            }
            else if (reader.ValueTextEquals("service_tier"u8))
            {
                usage.ServiceTier = reader.ReadText();
            }
            else if (reader.ValueTextEquals("inference_geo"u8))
            {
                usage.InferenceGeo = reader.ReadText();
            }
            else if (reader.ValueTextEquals("speed"u8))
            {
                usage.Speed = reader.ReadText();
            }
            else
            {
                reader.Skip();
            }
        }

        return usage;
    }

    private void ReadServerTools(ref Utf8JsonReader reader)
    {
        if (!reader.TryEnterObject())
        {
            return;
        }

        while (reader.ReadMember())
        {
            if (reader.ValueTextEquals("web_search_requests"u8))
            {
                WebSearches = ReportedTokens.ReadCount(ref reader, ref IsSuspect);
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private void ReadIterations(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return;
        }

        var passes = new List<UsageIteration>();
        var hasNonZero = false;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                var pass = ReadIteration(ref reader);
                hasNonZero |= pass.Tokens.Total > 0;
                passes.Add(pass);
            }
            else
            {
                IsSuspect = true;
                reader.Skip();
            }
        }

        // Passes without a single token say nothing, and must not hide the numbers beside them.
        Iterations = hasNonZero ? passes : [];
    }

    private UsageIteration ReadIteration(ref Utf8JsonReader reader)
    {
        var tokens = default(ReportedTokens);
        string? model = null;
        while (reader.ReadMember())
        {
            if (tokens.TryRead(ref reader, ref IsSuspect))
            {
                continue;
            }

            if (reader.ValueTextEquals("model"u8))
            {
                model = reader.ReadText();
            }
            else
            {
                reader.Skip();
            }
        }

        return new UsageIteration(model, tokens.ToUsage());
    }
}
