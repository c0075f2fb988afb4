using System.Text.Json.Nodes;
using Ccp.Configuration.Toml;

namespace Ccp.Tests.Configuration.Toml;

/// <summary>
/// Goal: every file that is TOML 1.0 is read as what it means, and no other file is read at all.
/// Method: the cases of the public conformance suite, where they lie beside the repository; <see cref="TomlDocumentTests"/> runs always.
/// </summary>
public sealed class TomlConformanceTests
{
    private const string Absent = "The conformance cases (../shared/data/toml) are not on this machine.";

    private static readonly string? Cases = FindCases();

    [Fact]
    public void Every_valid_case_is_read_as_what_it_means()
    {
        Assert.SkipWhen(Cases is null, Absent);
        var failures = new List<string>();
        var files = TomlFiles("valid");
        foreach (var file in files)
        {
            var document = TomlDocument.Parse(File.ReadAllBytes(file));
            var expected = TaggedJson.Normalized(JsonNode.Parse(File.ReadAllText(Path.ChangeExtension(file, ".json")))!);
            if (document.Problems.Count > 0)
            {
                failures.Add($"{file}: {document.Problems[0]}");
            }
            else if (!JsonNode.DeepEquals(expected, TaggedJson.Of(document.Root!)))
            {
                failures.Add($"{file}: expected {expected.ToJsonString()}, got {TaggedJson.Of(document.Root!).ToJsonString()}");
            }
        }

        Assert.Empty(failures);
        Assert.True(files.Length > 120, $"Only {files.Length} valid cases were found.");
    }

    [Fact]
    public void Every_invalid_case_is_refused_at_a_place_inside_the_file()
    {
        Assert.SkipWhen(Cases is null, Absent);
        var failures = new List<string>();
        var files = TomlFiles("invalid");
        foreach (var file in files)
        {
            var bytes = File.ReadAllBytes(file);
            var problems = TomlDocument.Parse(bytes).Problems;
            var lines = bytes.Count(b => b == '\n') + 1;
            if (problems.Count == 0)
            {
                failures.Add($"{file}: accepted");
            }
            else if (problems.Any(problem => problem.At.Line < 1 || problem.At.Line > lines || problem.At.Column < 1))
            {
                failures.Add($"{file}: {string.Join(", ", problems)} lies outside the file");
            }
        }

        Assert.Empty(failures);
        Assert.True(files.Length > 270, $"Only {files.Length} invalid cases were found.");
    }

    private static string[] TomlFiles(string kind) => Directory.GetFiles(Path.Combine(Cases!, kind), "*.toml", SearchOption.AllDirectories);

    private static string? FindCases()
    {
        var cases = Path.Combine(Repository.Root, "..", "shared", "data", "toml");
        return Directory.Exists(cases) ? cases : null;
    }
}
