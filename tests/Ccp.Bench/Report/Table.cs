using System.Globalization;

namespace Ccp.Bench.Report;

/// <summary>The figures for people.</summary>
internal static class Table
{
    private const int NameWidth = 54;
    private const int NumberWidth = 12;

    public static void Write(TextWriter output, Surroundings surroundings, IEnumerable<Figure> figures)
    {
        output.WriteLine(surroundings);
        output.WriteLine();
        output.WriteLine($"{"",-NameWidth}{"direct",NumberWidth}{"ccp",NumberWidth}{"added/ratio",NumberWidth}  {"of rounds",-16}{"goal (aim)"}");
        foreach (var figure in figures)
        {
            var direct = figure.DirectRounds.Count == 0 ? "" : Number(figure.Direct);
            var compared = figure.Comparison switch
            {
                Comparison.Added => $"{(figure.Compared < 0 ? "" : "+")}{Number(figure.Compared)}",
                Comparison.Ratio => $"× {Number(figure.Compared)}",
                _ => "",
            };
            output.WriteLine($"{figure.Name + ", " + figure.Unit,-NameWidth}{direct,NumberWidth}{Number(figure.Ccp),NumberWidth}{compared,NumberWidth}  {Spread(figure),-16}{GoalOf(figure)}".TrimEnd());
        }
    }

    private static string Spread(Figure figure) =>
        figure.ComparedRounds.Count > 1 ? $"{Number(figure.ComparedRounds.Min())} … {Number(figure.ComparedRounds.Max())}" : "";

    private static string GoalOf(Figure figure) =>
        figure.Goal is { } goal ? $"≤ {Number(goal.FirstRelease)} ({Number(goal.Aim)}){(figure.IsOverGoal ? " OVER" : "")}" : "";

    private static string Number(double value) => Math.Abs(value) switch
    {
        double.NaN => "–",
        >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.#", CultureInfo.InvariantCulture),
        _ => value.ToString("0.##", CultureInfo.InvariantCulture),
    };
}
