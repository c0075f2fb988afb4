using System.Globalization;

namespace Ccp.Pricing;

/// <summary>Every price in force, as one immutable table: a reload makes a new book, and calls in flight keep theirs.</summary>
/// <remarks>
/// Order of looking: the operator's exact ids, the operator's globs in the order written, the built-in ids.
/// An exact id, whoever wrote it, also stands for itself with a date (<c>-20251001</c>) or <c>-latest</c>, and never for a longer name.
/// Among rows for the same id the one that took effect last wins; a row whose day has not come is as if it were not there.
/// </remarks>
internal sealed class PriceBook
{
    private static readonly Dictionary<string, PriceRow[]> BuiltInRows = ByModel(BuiltInPrices.Rows);

    private readonly Dictionary<string, PriceRow[]> _exact;
    private readonly KeyValuePair<string, PriceRow[]>[] _globs;

    /// <summary>Null but for a book of the past, which knows the models it was made for and nothing else.</summary>
    private readonly IReadOnlyDictionary<string, PriceRow>? _frozen;

    private PriceBook(IReadOnlyList<PriceRow> operatorRows, IReadOnlyDictionary<string, PriceRow>? frozen = null)
    {
        _frozen = frozen;
        OperatorRows = operatorRows;
        _exact = ByModel(operatorRows.Where(row => !ModelGlob.IsGlob(row.Model)));
        _globs = [.. operatorRows
            .Where(row => ModelGlob.IsGlob(row.Model))
            .GroupBy(row => row.Model, StringComparer.Ordinal)
            .Select(rows => KeyValuePair.Create(rows.Key, rows.ToArray()))];
    }

    public static PriceBook BuiltIn { get; } = new([]);

    /// <summary>The built-in book with an operator's rows before it.</summary>
    public static PriceBook With(IReadOnlyList<PriceRow> operatorRows) => new(operatorRows);

    /// <summary>What a book said of a few models when a call was priced: for pricing that call once more.</summary>
    public static PriceBook Frozen(IReadOnlyDictionary<string, PriceRow> rowsByModel) => new([], rowsByModel);

    /// <summary>In the order they were written.</summary>
    public IReadOnlyList<PriceRow> OperatorRows { get; }

    /// <returns>Null when nobody has said what the model costs: such a call must not be served as if it were free.</returns>
    public PriceRow? Find(string model, DateTimeOffset at) => Match(model, at)?.Row;

    /// <summary>The same, and by which rule the row was found.</summary>
    public PriceMatch? Match(string model, DateTimeOffset at)
    {
        if (_frozen is not null)
        {
            return Matched(_frozen.GetValueOrDefault(model), PriceRule.OwnExact);
        }

        var undated = WithoutDate(model);
        return Matched(InForce(_exact, model, at), PriceRule.OwnExact)
            ?? Matched(InForce(_exact, undated, at), PriceRule.OwnWithoutDate)
            ?? Matched(FindByGlob(model, at), PriceRule.OwnGlob)
            ?? Matched(InForce(BuiltInRows, model, at), PriceRule.BuiltInExact)
            ?? Matched(InForce(BuiltInRows, undated, at), PriceRule.BuiltInWithoutDate);
    }

    /// <summary>What the built-in book says of the models that an operator's id or pattern is for: the dearest of them, where it is for several.</summary>
    /// <returns>Null for models that the built-in book does not know.</returns>
    public static decimal? UsGeoFactorOf(string pattern)
    {
        var undated = WithoutDate(pattern) ?? pattern;

        // With the dash of a date behind it too: claude-haiku-4-5-* is for claude-haiku-4-5 as that has dates.
        return BuiltInPrices.Rows
            .Where(row => ModelGlob.Matches(undated, row.Model) || ModelGlob.Matches(undated, row.Model + "-"))
            .Max(row => (decimal?)row.UsGeoFactor);
    }

    private static PriceMatch? Matched(PriceRow? row, PriceRule rule) => row is null ? null : new PriceMatch(row, rule);

    private static Dictionary<string, PriceRow[]> ByModel(IEnumerable<PriceRow> rows) =>
        rows.GroupBy(row => row.Model, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);

    private static PriceRow? InForce(Dictionary<string, PriceRow[]> rows, string? model, DateTimeOffset at) =>
        model is not null && rows.TryGetValue(model, out var candidates) ? InForce(candidates, at) : null;

    private static PriceRow? InForce(PriceRow[] rows, DateTimeOffset at)
    {
        PriceRow? latest = null;
        foreach (var row in rows)
        {
            var from = row.EffectiveFrom ?? DateTimeOffset.MinValue;
            if (from <= at && (latest is null || from > (latest.EffectiveFrom ?? DateTimeOffset.MinValue)))
            {
                latest = row;
            }
        }

        return latest;
    }

    /// <summary>The id before a date or <c>-latest</c>; null when there is neither.</summary>
    private static string? WithoutDate(string model)
    {
        var dash = model.LastIndexOf('-');
        if (dash <= 0)
        {
            return null;
        }

        var suffix = model.AsSpan(dash + 1);

        // A real day, not any eight digits: the suffix must be what it looks like, or the name is a longer one.
        var isDate = suffix.Length == 8 && DateOnly.TryParseExact(suffix, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);
        return isDate || suffix is "latest" ? model[..dash] : null;
    }

    private PriceRow? FindByGlob(string model, DateTimeOffset at)
    {
        foreach (var (pattern, rows) in _globs)
        {
            if (ModelGlob.Matches(pattern, model) && InForce(rows, at) is { } row)
            {
                return row;
            }
        }

        return null;
    }
}

/// <summary>A row, and the rule it was found by.</summary>
internal readonly record struct PriceMatch(PriceRow Row, PriceRule Rule);

/// <summary>The rules of looking, in their order.</summary>
internal enum PriceRule
{
    OwnExact,

    /// <summary>An id of the operator's, under a date or <c>-latest</c>.</summary>
    OwnWithoutDate,
    OwnGlob,
    BuiltInExact,
    BuiltInWithoutDate,
}
