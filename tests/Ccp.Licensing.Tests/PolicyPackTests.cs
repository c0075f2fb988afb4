using System.Text;

namespace Ccp.Licensing.Tests;

public sealed class PolicyPackTests
{
    private const string Good =
        """{"version":"v 7","expiresAt":"2030-01-01T00:00:00Z","routing":[{"pattern":"claude-haiku-*","lane":"zai"},{"pattern":"*","lane":"anth"}],"providers":{"zai":{"baseURL":"https://elsewhere.invalid"}}}""";

    private static readonly byte[] Seed = [.. Enumerable.Range(1, 32).Select(number => (byte)number)];
    private static readonly byte[][] Trusted = [new byte[32], Ed25519.PublicKeyOf(Seed)];
    private static readonly string[] Lanes = ["anthropic", "zai"];
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_good_pack_gives_its_routes_and_nothing_of_its_providers()
    {
        var verdict = Verify(Good);

        Assert.True(verdict.IsValid);
        Assert.Equal("v 7", verdict.Claims.Version);
        Assert.Equal(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero), verdict.Claims.ExpiresAt);
        Assert.Equal([new PolicyRoute("claude-haiku-*", "zai"), new PolicyRoute("*", "anthropic")], verdict.Claims.Routes);
    }

    /// <summary>Goal: packs that are in use verify. Method: one from the field, with its publisher's key.</summary>
    [Fact]
    public void The_sample_from_the_field_verifies()
    {
        var pack = Fixture("example.policy.json");
        var signature = Fixture("example.policy.json.sig");
        var key = Convert.FromBase64String(Encoding.ASCII.GetString(Fixture("example.pub")));

        var verdict = PolicyPack.Verify(pack, signature, [key], Lanes, Now);

        Assert.Equal("test-2025-10-21", verdict.Claims?.Version);
        Assert.Equal([new PolicyRoute("claude-haiku-*", "zai"), new PolicyRoute("*", "anthropic")], verdict.Claims!.Routes);
        Assert.Equal(PolicyProblem.SignatureInvalid, PolicyPack.Verify(pack, signature, [Ed25519.PublicKeyOf(new byte[32])], Lanes, Now).Problem);
        Assert.Equal(PolicyProblem.SignatureInvalid, PolicyPack.Verify([.. pack, (byte)'\n'], signature, [key], Lanes, Now).Problem);
    }

    [Theory]
    [InlineData("2029-12-31T23:59:59Z", null)]
    [InlineData("2030-01-01T00:00:00Z", PolicyProblem.Expired)]
    public void A_pack_is_good_until_just_before_its_end(string now, object? problem)
    {
        var at = DateTimeOffset.Parse(now, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(problem, PolicyPack.Verify(Encoding.UTF8.GetBytes(Good), Sign(Good), Trusted, Lanes, at).Problem);
    }

    [Theory]
    [InlineData("\"lane\":\"zai\"", "\"lane\":\"elsewhere\"", PolicyProblem.LaneUnknown)]
    [InlineData("\"lane\":\"zai\"", "\"lane\":7", PolicyProblem.Malformed)]
    [InlineData("\"lane\":\"zai\"", "\"name\":\"zai\"", PolicyProblem.Malformed)]
    [InlineData("claude-haiku-*", "claude haiku", PolicyProblem.Malformed)]
    [InlineData("claude-haiku-*", "", PolicyProblem.Malformed)]
    [InlineData("\"v 7\"", "7", PolicyProblem.Malformed)]
    [InlineData("v 7", "v\\n7", PolicyProblem.Malformed)]
    [InlineData("2030-01-01T00:00:00Z", "2030-01-01T00:00:00", PolicyProblem.Malformed)]
    [InlineData("2030-01-01T00:00:00Z", "2030-01-01T00:00:00+02:00", null)]
    [InlineData("2030-01-01T00:00:00Z", "2030-01-01", PolicyProblem.Malformed)]
    [InlineData("2030-01-01T00:00:00Z", "2030-13-01T00:00:00Z", PolicyProblem.Malformed)]
    [InlineData("\"routing\"", "\"routes\"", PolicyProblem.Malformed)]
    [InlineData("\"providers\"", "\"routing\"", PolicyProblem.Malformed)]
    [InlineData("\"baseURL\":\"https://elsewhere.invalid\"", "\"a\":1,\"a\":2", PolicyProblem.Malformed)]
    [InlineData("}}}", "}}", PolicyProblem.Malformed)]
    [InlineData("}}}", "}}}{}", PolicyProblem.Malformed)]
    [InlineData("\"providers\":", "\"new in a later version\":1,\"providers\":", null)]
    public void Every_flaw_that_is_well_signed_has_its_reason(string part, string instead, object? problem)
    {
        Assert.Equal(problem, Verify(Good.Replace(part, instead, StringComparison.Ordinal)).Problem);
    }

    [Fact]
    public void More_routes_than_anybody_writes_are_no_policy()
    {
        Assert.True(Verify(WithRoutes(PolicyPack.RoutesMax)).IsValid);
        Assert.Equal(PolicyProblem.Malformed, Verify(WithRoutes(PolicyPack.RoutesMax + 1)).Problem);
    }

    [Fact]
    public void The_signature_may_stand_alone_on_its_line_and_must_be_there()
    {
        var pack = Encoding.UTF8.GetBytes(Good);
        Assert.True(PolicyPack.Verify(pack, [.. Sign(Good), (byte)'\r', (byte)'\n'], Trusted, Lanes, Now).IsValid);
        Assert.Equal(PolicyProblem.SignatureInvalid, PolicyPack.Verify(pack, [], Trusted, Lanes, Now).Problem);
        Assert.Equal(PolicyProblem.SignatureInvalid, PolicyPack.Verify(pack, Sign(Good), [], Lanes, Now).Problem);
        Assert.Equal(PolicyProblem.SignatureInvalid, PolicyPack.Verify(pack, Sign(Good + " "), Trusted, Lanes, Now).Problem);
    }

    /// <summary>
    /// Goal: no bit of a pack, or of its signature, can be changed.
    /// Method: each bit of both flipped one at a time; base64 has bits that decoders do not look at.
    /// </summary>
    [Fact]
    public void No_bit_can_be_changed()
    {
        var pack = Encoding.UTF8.GetBytes(Good);
        var signature = Sign(Good);
        Assert.True(PolicyPack.Verify(pack, signature, Trusted, Lanes, Now).IsValid);
        foreach (var bytes in new[] { pack, signature })
        {
            for (var place = 0; place < bytes.Length * 8; place++)
            {
                bytes[place / 8] ^= (byte)(1 << (place % 8));
                Assert.Equal(PolicyProblem.SignatureInvalid, PolicyPack.Verify(pack, signature, Trusted, Lanes, Now).Problem);
                bytes[place / 8] ^= (byte)(1 << (place % 8));
            }
        }
    }

    /// <summary>Goal: whatever a publisher signs gives a verdict. Method: seeded damage and a soup of the words of packs, each well signed, so that it is read.</summary>
    [Fact]
    public void Nothing_that_is_signed_makes_it_throw()
    {
        string[] words =
        [
            "{", "}", "[", "]", ",", ":", "\"version\"", "\"expiresAt\"", "\"routing\"", "\"pattern\"", "\"lane\"", "\"zai\"", "\"2030-01-01T00:00:00Z\"", "null", "true", "1e999",
            "\"\\ud800\"", "\"\\u0000\"", " ", "\uFEFF", "\uFFFD", "{\"version\":\"1\",\"expiresAt\":\"2030-01-01T00:00:00Z\",\"routing\":[", "{\"pattern\":\"*\",\"lane\":\"zai\"}", "]}",
        ];
        var random = new Random(11);
        var (valid, refused) = (0, 0);
        for (var round = 0; round < 2_000; round++)
        {
            var soup = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, random.Next(1, 10)).Select(_ => words[random.Next(words.Length)])));
            var damaged = Encoding.UTF8.GetBytes(Good).AsSpan(0, random.Next(2) == 0 ? Good.Length : random.Next(1, Good.Length)).ToArray();
            for (var damage = random.Next(3); damage > 0; damage--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            foreach (var pack in new[] { soup, damaged })
            {
                var verdict = PolicyPack.Verify(pack, Sign(pack), Trusted, Lanes, Now);
                Assert.NotEqual(PolicyProblem.SignatureInvalid, verdict.Problem);
                _ = verdict.IsValid ? valid++ : refused++;
                Assert.Equal(PolicyProblem.SignatureInvalid, PolicyPack.Verify(pack, pack.AsSpan(0, Math.Min(pack.Length, 88)), Trusted, Lanes, Now).Problem);
            }
        }

        // Both outcomes were met: damage that changes a letter of what nobody reads is a policy still.
        Assert.True(valid > 0 && refused > 3_000, $"{valid} valid, {refused} refused");
    }

    private static string WithRoutes(int count) =>
        $"{{\"version\":\"1\",\"expiresAt\":\"2030-01-01T00:00:00Z\",\"routing\":[{string.Join(',', Enumerable.Repeat("{\"pattern\":\"a\",\"lane\":\"zai\"}", count))}]}}";

    private static byte[] Fixture(string name) => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Policy", name));

    private static byte[] Sign(string pack) => Sign(Encoding.UTF8.GetBytes(pack));

    private static byte[] Sign(byte[] pack) => Encoding.ASCII.GetBytes(Convert.ToBase64String(Ed25519.Sign(pack, Seed)));

    private static PolicyVerdict Verify(string pack) => PolicyPack.Verify(Encoding.UTF8.GetBytes(pack), Sign(pack), Trusted, Lanes, Now);
}
