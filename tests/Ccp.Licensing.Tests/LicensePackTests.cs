using System.Text;

namespace Ccp.Licensing.Tests;

public sealed class LicensePackTests
{
    private const string Good =
        """{"schema":"ccp.license.v1","sub":"a@example.org","plan":"pro","features":["zai_offload","x"],"iat":1760000000,"exp":1800000000,"kid":"k1","nonce":"n"}""";

    private static readonly byte[] Seed = [.. Enumerable.Range(1, 32).Select(number => (byte)number)];

    private static readonly Dictionary<string, byte[]> Trusted = new(StringComparer.Ordinal)
    {
        ["k0"] = new byte[7],
        ["k1"] = Ed25519.PublicKeyOf(Seed),
        ["k2"] = Ed25519.PublicKeyOf(new byte[32]),
    };

    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_790_000_000);

    [Fact]
    public void A_good_pack_gives_its_claims()
    {
        var verdict = Verify(Pack(Good));

        Assert.True(verdict.IsValid);
        Assert.Equal(("a@example.org", "pro", "k1"), (verdict.Claims.Subject, verdict.Claims.Plan, verdict.Claims.KeyId));
        Assert.Equal(["zai_offload", "x"], verdict.Claims.Features);
        Assert.True(verdict.Claims.Grants("zai_offload"));
        Assert.False(verdict.Claims.Grants("ZAI_OFFLOAD"));
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_800_000_000), verdict.Claims.ExpiresAt);
        Assert.Null(verdict.Problem);
    }

    [Fact]
    public void The_signature_is_over_the_license_as_it_stands_however_the_rest_is_written()
    {
        var spaced = Good.Replace(",", ", \n", StringComparison.Ordinal);
        var signature = Convert.ToBase64String(Ed25519.Sign(Encoding.UTF8.GetBytes(spaced), Seed));

        Assert.True(Verify($"\n{{ \"signature\" : \"{signature}\", \"note\": [1], \"license\" :  {spaced} }}\n").IsValid);
    }

    [Theory]
    [InlineData(1_760_000_000 - 301, LicenseProblem.NotYetValid)]
    [InlineData(1_760_000_000 - 300, null)]
    [InlineData(1_760_000_000, null)]
    [InlineData(1_800_000_000 - 1, null)]
    [InlineData(1_800_000_000, LicenseProblem.Expired)]
    public void A_license_is_valid_from_its_issue_give_or_take_a_clock_until_just_before_its_expiry(long now, object? problem)
    {
        Assert.Equal(problem, LicensePack.Verify(Encoding.UTF8.GetBytes(Pack(Good)), Trusted, DateTimeOffset.FromUnixTimeSeconds(now)).Problem);
    }

    [Theory]
    [InlineData("\"kid\":\"k1\"", "\"kid\":\"k2\"", LicenseProblem.SignatureInvalid)]
    [InlineData("\"kid\":\"k1\"", "\"kid\":\"k0\"", LicenseProblem.SignatureInvalid)]
    [InlineData("\"kid\":\"k1\"", "\"kid\":\"k9\"", LicenseProblem.KeyUnknown)]
    [InlineData("license.v1", "license.v2", LicenseProblem.SchemaUnknown)]
    [InlineData("\"nonce\"", "\"plan\"", LicenseProblem.DuplicateMember)]
    [InlineData("\"nonce\"", "\"pl\\u0061n\"", LicenseProblem.DuplicateMember)]
    [InlineData("\"n\"", "{\"a\":1,\"a\":1}", LicenseProblem.DuplicateMember)]
    [InlineData("\"kid\":\"k1\",", "", LicenseProblem.Malformed)]
    [InlineData("\"sub\":\"a@example.org\",", "", LicenseProblem.Malformed)]
    [InlineData("1800000000", "\"1800000000\"", LicenseProblem.Malformed)]
    [InlineData("1800000000", "18000000000000000", LicenseProblem.Malformed)]
    [InlineData("1800000000", "1.8e9", LicenseProblem.Malformed)]
    [InlineData("\"x\"]", "7]", LicenseProblem.Malformed)]
    [InlineData("[\"zai_offload\",\"x\"]", "\"zai_offload\"", LicenseProblem.Malformed)]
    [InlineData("\"nonce\":\"n\"", "\"device\":\"d\"", LicenseProblem.WrongDevice)]
    [InlineData("\"nonce\":\"n\"", "\"device\":7", LicenseProblem.Malformed)]
    [InlineData("\"nonce\":\"n\"", "\"nbf\":1790000001", LicenseProblem.NotYetValid)]
    [InlineData("\"nonce\":\"n\"", "\"nbf\":\"1\"", LicenseProblem.Malformed)]
    public void Every_flaw_has_its_reason(string part, string instead, object problem)
    {
        var verdict = Verify(Pack(Good.Replace(part, instead, StringComparison.Ordinal)));

        Assert.Equal(problem, verdict.Problem);
        Assert.Null(verdict.Claims);
    }

    [Fact]
    public void A_license_for_a_device_is_valid_on_it()
    {
        var pack = Encoding.UTF8.GetBytes(Pack(Good.Replace("\"nonce\":\"n\"", "\"device\":\"d\"", StringComparison.Ordinal)));

        Assert.True(LicensePack.Verify(pack, Trusted, Now, "d").IsValid);
        Assert.Equal(LicenseProblem.WrongDevice, LicensePack.Verify(pack, Trusted, Now, "e").Problem);
    }

    [Theory]
    [InlineData("", LicenseProblem.Missing)]
    [InlineData(" \r\n", LicenseProblem.Missing)]
    [InlineData("{}", LicenseProblem.Malformed)]
    [InlineData("[]", LicenseProblem.Malformed)]
    [InlineData("null", LicenseProblem.Malformed)]
    [InlineData("""{"license":7,"signature":"AAAA"}""", LicenseProblem.Malformed)]
    [InlineData("""{"license":{},"license":{},"signature":""}""", LicenseProblem.DuplicateMember)]
    [InlineData("""{"license":{"a":"\ud800"},"signature":"\ud800"}""", LicenseProblem.Malformed)]
    public void What_is_no_pack_is_said_to_be_none(string pack, object problem)
    {
        Assert.Equal(problem, Verify(pack).Problem);
    }

    [Fact]
    public void Nothing_may_follow_a_pack()
    {
        Assert.Equal(LicenseProblem.Malformed, Verify(Pack(Good) + "{}").Problem);
    }

    [Theory]
    [InlineData(1_790_000_000)]
    [InlineData(1_700_000_000)]
    public void A_beginning_of_its_own_that_has_passed_is_no_hindrance(long notBefore)
    {
        Assert.True(Verify(Pack(Good.Replace("\"nonce\":\"n\"", $"\"nbf\":{notBefore}", StringComparison.Ordinal))).IsValid);
    }

    [Theory]
    [InlineData("ab", "\\u0061b")]
    [InlineData("1800000000", "1.8e9")]
    public void What_reads_the_same_to_others_but_not_to_this_reader_is_at_worst_refused(string part, string instead)
    {
        var license = Good.Replace("\"n\"", "\"ab\"", StringComparison.Ordinal);
        var verdict = Verify(CanonicalPack(license).Replace(part, instead, StringComparison.Ordinal));

        Assert.True(verdict.IsValid ? Says(verdict.Claims) == Says(Verify(CanonicalPack(license)).Claims!) : verdict.Problem == LicenseProblem.Malformed);
    }

    [Fact]
    public void A_pack_that_was_signed_in_canonical_form_may_be_reformatted()
    {
        using var document = System.Text.Json.JsonDocument.Parse(CanonicalPack(Good));
        var pretty = System.Text.Json.JsonSerializer.Serialize(document.RootElement, Indented);

        Assert.Contains("\n    \"exp\": 1800000000,\n", pretty, StringComparison.Ordinal);
        Assert.True(Verify(pretty).IsValid);
        Assert.Equal(LicenseProblem.SignatureInvalid, Verify(pretty.Replace("\"pro\"", "\"pra\"", StringComparison.Ordinal)).Problem);
    }

    [Fact]
    public void A_pack_that_was_signed_as_it_stood_may_not_be_reformatted()
    {
        Assert.Equal(LicenseProblem.SignatureInvalid, Verify(Pack(Good).Replace(",\"plan\"", ", \"plan\"", StringComparison.Ordinal)).Problem);
    }

    [Fact]
    public void A_license_and_its_signature_may_come_apart()
    {
        var signature = Convert.ToBase64String(Ed25519.Sign(Encoding.UTF8.GetBytes(Good), Seed));

        Assert.True(LicensePack.Verify(LicensePack.Join(Encoding.UTF8.GetBytes(Good + "\n"), signature + "\n"), Trusted, Now).IsValid);
        Assert.Equal(LicenseProblem.Malformed, LicensePack.Verify(LicensePack.Join(Encoding.UTF8.GetBytes(Good), "\"}"), Trusted, Now).Problem);
    }

    /// <summary>
    /// Goal: no bit of a license, or of its signature, can be changed.
    /// Method: each bit of both, as they stand in the pack, flipped one at a time; base64 has bits that decoders do not look at.
    /// </summary>
    [Fact]
    public void No_bit_can_be_changed()
    {
        var pack = Encoding.UTF8.GetBytes(Pack(Good));
        var text = Encoding.UTF8.GetString(pack);
        var license = text.IndexOf(Good, StringComparison.Ordinal);
        var signature = text.IndexOf("\"signature\":\"", StringComparison.Ordinal) + "\"signature\":\"".Length;
        var places = Enumerable.Range(license, Good.Length).Concat(Enumerable.Range(signature, 88));
        Assert.True(Verify(text).IsValid);

        foreach (var place in places)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                pack[place] ^= (byte)(1 << bit);
                Assert.False(LicensePack.Verify(pack, Trusted, Now).IsValid, $"byte {place}, bit {bit}");
                pack[place] ^= (byte)(1 << bit);
            }
        }
    }

    /// <summary>
    /// Goal: a pack as it may be written has no bit that changes what the license says and passes.
    /// Method: each bit of the whole pack, spelled with blanks and escapes and signed in canonical form, flipped one at a time: a no, or the same claims.
    /// </summary>
    [Fact]
    public void No_bit_of_a_whole_pack_changes_what_it_says()
    {
        var license = Good.Replace(",", ", \n\t", StringComparison.Ordinal).Replace("example", "ex\\u0061mple", StringComparison.Ordinal);
        var signature = Convert.ToBase64String(Ed25519.Sign(CanonicalJson.Of(Encoding.UTF8.GetBytes(license)), Seed));
        var pack = Encoding.UTF8.GetBytes($"{{\"note\":[1], \"license\": {license},\n\"signature\":\"{signature}\"}}\n");
        var claims = LicensePack.Verify(pack, Trusted, Now).Claims!;
        var survived = 0;

        for (var place = 0; place < pack.Length * 8; place++)
        {
            pack[place / 8] ^= (byte)(1 << (place % 8));
            var verdict = LicensePack.Verify(pack, Trusted, Now);
            pack[place / 8] ^= (byte)(1 << (place % 8));
            if (verdict.IsValid)
            {
                survived++;
                Assert.Equal(Says(claims), Says(verdict.Claims));
            }
        }

        // The note, which nobody signed; a blank that becomes another.
        Assert.InRange(survived, 1, 80);
    }

    [Fact]
    public void No_bytes_make_it_throw()
    {
        var random = new Random(9);
        var good = Encoding.UTF8.GetBytes(Pack(Good));
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = new byte[random.Next(100)];
            random.NextBytes(bytes);
            Assert.False(LicensePack.Verify(bytes, Trusted, Now).IsValid);

            var damaged = good.AsSpan(0, random.Next(good.Length)).ToArray();
            for (var damage = random.Next(4); damage > 0 && damaged.Length > 0; damage--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            Assert.False(LicensePack.Verify(damaged, Trusted, Now).IsValid);
        }
    }

    /// <summary>Goal: whatever is woven together from the words of packs gives a verdict. Method: a seeded soup of them, most of it nearly JSON.</summary>
    [Fact]
    public void No_text_makes_it_throw()
    {
        string[] words =
        [
            "{", "}", "[", "]", ",", ":", "\"license\"", "\"signature\"", "\"kid\"", "\"k1\"", "\"exp\"", "\"iat\"", "\"nbf\"", "\"device\"", "null", "true", "1e999", "-0",
            "99999999999999999999", "\"\\ud800\"", "\"\\u0000\"", " ", "\uFEFF", "\uFFFD", Good, $"{{\"license\":{Good}", ",\"signature\":\"", new string('A', 86) + "==\"}",
        ];
        var random = new Random(10);
        for (var round = 0; round < 20_000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 12)).Select(_ => words[random.Next(words.Length)]));
            Assert.False(Verify(text).IsValid);
            _ = CanonicalJson.Of(Encoding.UTF8.GetBytes(text));
        }

        Assert.Equal(LicenseProblem.Malformed, Verify(new string('[', 10_000)).Problem);
        Assert.Equal(LicenseProblem.Malformed, Verify("{\"license\":" + new string('[', 10_000)).Problem);
    }

    private static readonly System.Text.Json.JsonSerializerOptions Indented = new() { WriteIndented = true, IndentSize = 2 };

    private static string Says(LicenseClaims claims) => $"{claims with { Features = [] }} {string.Join(',', claims.Features)}";

    private static string CanonicalPack(string license)
    {
        var canonical = CanonicalJson.Of(Encoding.UTF8.GetBytes(license))!;
        return $"{{\"license\":{Encoding.UTF8.GetString(canonical)},\"signature\":\"{Convert.ToBase64String(Ed25519.Sign(canonical, Seed))}\"}}";
    }

    private static LicenseVerdict Verify(string pack) => LicensePack.Verify(Encoding.UTF8.GetBytes(pack), Trusted, Now);

    private static string Pack(string license) =>
        $"{{\"license\":{license},\"signature\":\"{Convert.ToBase64String(Ed25519.Sign(Encoding.UTF8.GetBytes(license), Seed))}\"}}";
}
