using System.Globalization;
using System.Text;
using System.Text.Json;
using Ccp.Pricing;
using Spectre.Console;

namespace Ccp.Cli;

/// <summary>What people see of an answer. With a terminal tables have borders; in a file or a pipe they are aligned text.</summary>
internal static class Terminal
{
    /// <summary>Set once, at the start: a terminal, and no NO_COLOR.</summary>
    public static bool HasBorders { get; set; }

    /// <summary>Text without what a terminal would act on: control characters, and those that turn the direction of writing.</summary>
    public static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator))
            {
                clean.Append(rune.ToString());
            }
        }

        return clean.ToString();
    }

    public static void Line(string text) => Console.WriteLine(Clean(text));

    /// <param name="headers">A header that begins with a blank stands over numbers, which are aligned to the right.</param>
    public static void Table(IReadOnlyList<string> headers, IReadOnlyList<string[]> rows)
    {
        var cells = rows.Select(row => Array.ConvertAll(row, Clean)).ToList();
        if (HasBorders)
        {
            WithBorders(headers, cells);
        }
        else
        {
            WithoutBorders(headers, cells);
        }
    }

    /// <summary>A member as text: amounts with their cents, instants to the second, nothing for null.</summary>
    public static string Text(this JsonElement item, string name) => !item.TryGetProperty(name, out var value) ? "" : value.ValueKind switch
    {
        JsonValueKind.Null => "",
        JsonValueKind.True => "yes",
        JsonValueKind.False => "no",
        _ => value.ToString(),
    };

    public static string Dollars(this JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && NanoUsd.TryParse(value.GetRawText(), out var amount) ? amount.ToString() : "";

    /// <summary>A number of dollars with all its digits, and at least two decimals; nothing for null.</summary>
    public static string ExactDollars(this JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            ? value.GetDecimal().ToString("0.00##########################", CultureInfo.InvariantCulture)
            : "";

    public static string Instant(this JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out var at)
            ? at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)
            : "";

    private static void WithBorders(IReadOnlyList<string> headers, List<string[]> rows)
    {
        var table = new Table { Border = TableBorder.Rounded };
        foreach (var header in headers)
        {
            var column = new TableColumn(new Text(header.TrimStart(), new Style(decoration: Decoration.Bold)));
            table.AddColumn(header.StartsWith(' ') ? column.RightAligned() : column);
        }

        foreach (var row in rows)
        {
            table.AddRow(row.Select(cell => new Text(cell)));
        }

        AnsiConsole.Write(table);
    }

    private static void WithoutBorders(IReadOnlyList<string> headers, List<string[]> rows)
    {
        var widths = headers.Select((header, column) => rows.Select(row => row[column].Length).Append(header.Trim().Length).Max()).ToList();
        foreach (var row in rows.Prepend([.. headers.Select(header => header.Trim().ToUpperInvariant())]))
        {
            var line = row.Select((cell, column) => headers[column].StartsWith(' ') ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]));
            Console.WriteLine(string.Join("  ", line).TrimEnd());
        }
    }
}
