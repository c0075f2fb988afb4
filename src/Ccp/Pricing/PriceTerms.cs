namespace Ccp.Pricing;

/// <summary>What tokens are priced by beside their number: as a request asked for it, or as the provider reported it. A value, so that a running stream can be read without allocating.</summary>
/// <param name="InferenceGeo"><c>us</c> costs more on models from 4.6 on. Null: nobody has said.</param>
/// <param name="Speed"><c>fast</c> has prices of its own. Null: nobody has said.</param>
internal readonly record struct PriceTerms(string? InferenceGeo = null, string? Speed = null)
{
    public const string Us = "us";
    public const string Fast = "fast";

    public bool IsFast => Speed == Fast;

    /// <summary>These, and where they say nothing, <paramref name="others"/>.</summary>
    public PriceTerms Or(in PriceTerms others) => new(InferenceGeo ?? others.InferenceGeo, Speed ?? others.Speed);
}
