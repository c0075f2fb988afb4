using System.Text.RegularExpressions;
using Ccp.Tests.Configuration;

namespace Ccp.Tests.Tidy;

/// <summary>Rules of the house that no compiler knows.</summary>
public sealed partial class TidyTests
{
    private const int LinesMax = 300;

    [Fact]
    public void Time_comes_from_a_clock_that_a_test_can_hold()
    {
        AssertNone(@"\bDateTime(Offset)?\.(Now|UtcNow|Today)\b|\bStopwatch\b|\bThread\.Sleep\b", static _ => true);
    }

    [Fact]
    public void No_binary_floating_point_number_touches_money()
    {
        AssertNone(@"\b(double|float|Double|Single)\b|\d[dDfF]\b", static path => path.StartsWith("Pricing/", StringComparison.Ordinal) || path.StartsWith("Ledger/", StringComparison.Ordinal));
    }

    [Fact]
    public void Everything_is_caught_only_at_the_edge()
    {
        AssertNone(@"catch\s*\(Exception(\s+\w+)?\)(?!\s*when)", static path => path != "Listening/CcpApplication.cs");
    }

    [Fact]
    public void No_exception_is_swallowed_without_a_word()
    {
        var silent = Sources.All.Where(file => SilentCatch().IsMatch(file.Text)).Select(file => file.Path);
        Assert.Empty(silent);
    }

    [Fact]
    public void The_environment_is_read_in_one_place()
    {
        AssertNone(@"Environment\.GetEnvironmentVariable", static path => path != "Program.cs");
    }

    [Fact]
    public void Types_are_named_for_what_they_are()
    {
        AssertNone(@"\b(class|record|struct|interface|enum)\s+\w*(Manager|Helper|Helpers|Util|Utils|Service|Services)\b", static _ => true);
    }

    [Fact]
    public void Only_the_map_and_the_responder_know_the_status_of_a_refusal()
    {
        AssertNone(@"\bnew WireError\(|\bWireError\b.*=>\s*new\(\d", static path => path != "Refusals/RefusalMap.cs");
    }

    [Fact]
    public void No_file_is_too_long_to_read()
    {
        Assert.Empty(AllSources().Where(file => file.Path.StartsWith("src/", StringComparison.Ordinal) && file.Text.AsSpan().Count('\n') > LinesMax).Select(file => file.Path));
    }

    [Fact]
    public void Nothing_is_left_for_later()
    {
        // Spelled apart, so that this file does not find itself.
        var later = new[] { "TO" + "DO", "FIX" + "ME", "HA" + "CK:", "XX" + "X:" };
        Assert.Empty(AllSources().Where(file => later.Any(word => file.Text.Contains(word, StringComparison.Ordinal))).Select(file => file.Path));
    }

    private static void AssertNone(string pattern, Func<string, bool> applies)
    {
        var found = Sources.All
            .Where(file => applies(file.Path))
            .SelectMany(file => Regex.Matches(Sources.Code(file.Text), pattern).Select(match => $"{file.Path}: {match.Value}"));
        Assert.Empty(found);
    }

    private static IEnumerable<(string Path, string Text)> AllSources() =>
        from top in new[] { "src", "tests" }
        from file in Directory.GetFiles(Path.Combine(Repository.Root, top), "*.cs", SearchOption.AllDirectories)
        let path = Path.GetRelativePath(Repository.Root, file)
        where !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)
        select (path, File.ReadAllText(file));

    [GeneratedRegex(@"catch[^{]*\{\s*\}")]
    private static partial Regex SilentCatch();
}
