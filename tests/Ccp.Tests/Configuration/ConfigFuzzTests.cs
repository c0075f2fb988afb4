using System.Text;

namespace Ccp.Tests.Configuration;

/// <summary>
/// Goal: no text can make the reader throw, or give a configuration and problems at once, or neither.
/// Method: a fixed seed draws random bytes, random TOML-like words, and small damage to the example with all its lines enabled.
/// </summary>
public sealed class ConfigFuzzTests
{
    private const int Rounds = 3_000;

    private static readonly string[] Words =
    [
        "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\"", "'", "\"\"\"", "'''", "\\", "\\u12", "#", "\n", "\r\n", "\r", " ", "\t", "\0",
        "a", "server", "listen", "user", "lane", "price", "key", "name", "token", "'anthropic'", "'env:X'", "'file:/x'", "1", "-0", "1_0", "0x", "1e9",
        "9999999999999999999", "2026-10-01", "07:00:00", "+24:00", "true", "nan", "'99999999d'", "'999999999GiB'", "\uFEFF", "é", "😀",
    ];

    [Fact]
    public void Random_bytes_give_a_configuration_or_problems()
    {
        var random = new Random(20_260_801);
        for (var round = 0; round < Rounds; round++)
        {
            var bytes = new byte[random.Next(60)];
            random.NextBytes(bytes);
            AssertOneOrTheOther(bytes);
        }
    }

    [Fact]
    public void Random_words_give_a_configuration_or_problems()
    {
        var random = new Random(20_260_802);
        for (var round = 0; round < Rounds; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => Words[random.Next(Words.Length)]));
            AssertOneOrTheOther(Encoding.UTF8.GetBytes(text));
        }
    }

    [Fact]
    public void A_damaged_example_gives_a_configuration_or_problems()
    {
        var random = new Random(20_260_803);
        var enabled = Encoding.UTF8.GetBytes(ExampleTests.Enabled());
        for (var round = 0; round < Rounds; round++)
        {
            var bytes = enabled.ToList();
            for (var wounds = random.Next(1, 4); wounds > 0; wounds--)
            {
                var at = random.Next(bytes.Count);
                switch (random.Next(3))
                {
                    case 0:
                        bytes[at] = (byte)random.Next(256);
                        break;
                    case 1:
                        bytes.RemoveRange(at, Math.Min(random.Next(1, 30), bytes.Count - at));
                        break;
                    default:
                        bytes.InsertRange(at, Encoding.UTF8.GetBytes(Words[random.Next(Words.Length)]));
                        break;
                }
            }

            AssertOneOrTheOther([.. bytes]);
        }
    }

    private static void AssertOneOrTheOther(byte[] toml)
    {
        var result = Configured.Result(toml, new() { ["X"] = Configured.Token, ["ALICE_TOKEN"] = Configured.Token });

        Assert.True(result.Config is null == result.Problems.Count > 0, Encoding.UTF8.GetString(toml));
        Assert.All(result.Problems, problem =>
        {
            Assert.True(problem.At is null || problem.At.Value is { Line: >= 1, Column: >= 1 });
            Assert.DoesNotContain(Configured.Token, problem.ToString(), StringComparison.OrdinalIgnoreCase);
        });
    }
}
