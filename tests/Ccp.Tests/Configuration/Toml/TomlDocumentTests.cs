using System.Text;
using Ccp.Configuration.Toml;

namespace Ccp.Tests.Configuration.Toml;

public sealed class TomlDocumentTests
{
    [Fact]
    public void A_value_knows_its_line_and_column()
    {
        var root = Read("[server]\n  listen = \"here\"\n");

        Assert.True(root.TryGet<TomlTable>("server", out var server));
        Assert.True(server.TryGet("listen", out var listen));
        Assert.Equal(new TomlPosition(1, 1), server.At);
        Assert.Equal(new TomlPosition(2, 3), listen.KeyAt);
        Assert.Equal(new TomlPosition(2, 12), listen.Value.At);
    }

    [Fact]
    public void A_column_counts_characters_and_not_bytes()
    {
        Assert.Equal(new TomlPosition(1, 16), Problem("a = [\"ä€😀\", 1, x]").At);
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_refused_where_they_stand()
    {
        byte[] bytes = [.. "a = 1\nb = \"ä"u8, 0xC3, (byte)'"'];

        Assert.Equal(new TomlPosition(2, 7), Assert.Single(TomlDocument.Parse(bytes).Problems).At);
    }

    [Fact]
    public void A_byte_order_mark_is_passed_over_once_and_only_at_the_start()
    {
        Assert.Empty(TomlDocument.Parse([0xEF, 0xBB, 0xBF, .. "a = 1"u8]).Problems);
        Assert.Equal(new TomlPosition(1, 1), Problem("\uFEFF\uFEFFa = 1").At);
    }

    [Fact]
    public void A_number_keeps_the_text_it_was_written_as()
    {
        var root = Read("cents = 0.10\ncount = 1_000");

        Assert.True(root.TryGet<TomlFloat>("cents", out var cents));
        Assert.True(root.TryGet<TomlInteger>("count", out var count));
        Assert.Equal("0.10", cents.Raw);
        Assert.Equal(("1_000", 1000L), (count.Raw, count.Value));
    }

    [Fact]
    public void A_table_defined_twice_is_refused_where_it_is_defined_again()
    {
        var problem = Problem("[a]\nx = 1\n[b]\n[ a ]\n");

        Assert.Equal(new TomlPosition(4, 3), problem.At);
        Assert.Contains("line 1", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a = {}\na.b = 1", 2, 1)]
    [InlineData("a = []\n[[a]]", 2, 3)]
    [InlineData("[[a]]\n[a]", 2, 2)]
    [InlineData("[a.b]\n[a]\nb.c = 1", 3, 1)]
    [InlineData("a = 1\na = 2", 2, 1)]
    public void What_is_complete_cannot_be_added_to(string text, int line, int column)
    {
        Assert.Equal(new TomlPosition(line, column), Problem(text).At);
    }

    [Fact]
    public void Keys_after_a_list_header_belong_to_its_newest_table()
    {
        var root = Read("[[user]]\nname = 'a'\n[user.limits]\nx = 1\n[[user]]\nname = 'b'\n");

        Assert.True(root.TryGet<TomlArray>("user", out var users));
        Assert.Equal(2, users.Items.Count);
        Assert.True(((TomlTable)users.Items[0]).TryGet<TomlTable>("limits", out _));
        Assert.False(((TomlTable)users.Items[1]).TryGet<TomlTable>("limits", out _));
    }

    [Fact]
    public void Several_broken_values_are_reported_together_and_the_rest_is_read()
    {
        var document = TomlDocument.Parse("a = 30s\nb = 1\nc = \"open\nd = 08\n"u8);

        Assert.Equal([1, 3, 4], document.Problems.Select(problem => problem.At.Line));
        Assert.True(document.Root!.TryGet<TomlInteger>("b", out _));
        Assert.True(document.Root.TryGet<TomlBroken>("d", out _));
    }

    [Fact]
    public void After_a_broken_header_the_tree_is_not_trusted()
    {
        var document = TomlDocument.Parse("[ser ver]\nlisten = 1\nx = oops\n"u8);

        Assert.Null(document.Root);
        Assert.Equal([1, 3], document.Problems.Select(problem => problem.At.Line));
    }

    [Theory]
    [InlineData("\"\"\"\na \\\n   b\"\"\"", "a b")]
    [InlineData("\"\"\"\"\"two\"\"\"\"\"", "\"\"two\"\"")]
    [InlineData("'C:\\new'", "C:\\new")]
    [InlineData("\"\\u00e9\\U0001F600\\t\"", "é😀\t")]
    [InlineData("\"\"\"a\r\nb\"\"\"", "a\nb")]
    [InlineData("'''it's'''", "it's")]
    public void A_string_is_read_as_it_is_meant(string written, string meant)
    {
        Assert.True(Read("s = " + written).TryGet<TomlString>("s", out var text));
        Assert.Equal(meant, text.Text);
    }

    [Theory]
    [InlineData("2026-10-01T12:00:00+02:00", "2026-10-01", "12:00:00", 120)]
    [InlineData("2026-10-01 12:00:00.5", "2026-10-01", "12:00:00.5", null)]
    [InlineData("2026-10-01", "2026-10-01", null, null)]
    [InlineData("07:32:00", null, "07:32:00", null)]
    public void A_date_or_time_has_the_parts_that_were_written(string written, string? date, string? time, int? offsetMinutes)
    {
        Assert.True(Read("t = " + written).TryGet<TomlDateTime>("t", out var moment));
        Assert.Equal(date, moment.Date?.ToString("yyyy-MM-dd", null));
        Assert.Equal(time is null ? null : TimeOnly.Parse(time, null), moment.Time);
        Assert.Equal(offsetMinutes, (int?)moment.Offset?.TotalMinutes);
    }

    [Theory]
    [InlineData("[")]
    [InlineData("{a=")]
    [InlineData("{a.b.c=[")]
    public void Endless_nesting_is_refused_and_not_followed(string opening)
    {
        Assert.Contains("levels deep", Problem("a = " + string.Concat(Enumerable.Repeat(opening, 100_000))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_with_too_many_problems_is_given_up_and_not_half_read()
    {
        var document = TomlDocument.Parse(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 1_000).Select(i => $"k{i} = ?\n"))));

        Assert.Null(document.Root);
        Assert.Equal(100, document.Problems.Count);
    }

    [Fact]
    public void An_unquoted_value_is_not_repeated_in_the_problem()
    {
        Assert.DoesNotContain("hush", Problem("key = hush-hush").Message, StringComparison.Ordinal);
    }

    private static TomlTable Read(string text)
    {
        var document = TomlDocument.Parse(Encoding.UTF8.GetBytes(text));
        Assert.Empty(document.Problems);
        return document.Root!;
    }

    private static TomlProblem Problem(string text) => TomlDocument.Parse(Encoding.UTF8.GetBytes(text)).Problems[0];
}
