using System.Text;
using System.Text.Json;

namespace Ccp.Licensing.Tests;

public sealed class CanonicalJsonTests
{
    /// <summary>RFC 8785, appendix B: the bits of a number, and its text.</summary>
    [Theory]
    [InlineData(0x0000000000000000, "0")]
    [InlineData(0x8000000000000000, "0")]
    [InlineData(0x0000000000000001, "5e-324")]
    [InlineData(0x8000000000000001, "-5e-324")]
    [InlineData(0x7fefffffffffffff, "1.7976931348623157e+308")]
    [InlineData(0xffefffffffffffff, "-1.7976931348623157e+308")]
    [InlineData(0x4340000000000000, "9007199254740992")]
    [InlineData(0xc340000000000000, "-9007199254740992")]
    [InlineData(0x4430000000000000, "295147905179352830000")]
    [InlineData(0x44b52d02c7e14af5, "9.999999999999997e+22")]
    [InlineData(0x44b52d02c7e14af6, "1e+23")]
    [InlineData(0x44b52d02c7e14af7, "1.0000000000000001e+23")]
    [InlineData(0x444b1ae4d6e2ef4e, "999999999999999700000")]
    [InlineData(0x444b1ae4d6e2ef4f, "999999999999999900000")]
    [InlineData(0x444b1ae4d6e2ef50, "1e+21")]
    [InlineData(0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7")]
    [InlineData(0x3eb0c6f7a0b5ed8d, "0.000001")]
    [InlineData(0x41b3de4355555553, "333333333.3333332")]
    [InlineData(0x41b3de4355555554, "333333333.33333325")]
    [InlineData(0x41b3de4355555555, "333333333.3333333")]
    [InlineData(0x41b3de4355555556, "333333333.3333334")]
    [InlineData(0x41b3de4355555557, "333333333.33333343")]
    [InlineData(0xbecbf647612f3696, "-0.0000033333333333333333")]
    [InlineData(0x43143ff3c1cb0959, "1424953923781206.2")]
    public void Numbers_are_written_as_the_standard_has_them(ulong bits, string text)
    {
        Assert.Equal(text, EcmaNumber.Text(BitConverter.UInt64BitsToDouble(bits)));
    }

    [Theory]
    [InlineData(0x7fffffffffffffff)]
    [InlineData(0x7ff0000000000000)]
    public void What_is_no_number_to_JSON_is_refused(ulong bits)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => EcmaNumber.Text(BitConverter.UInt64BitsToDouble(bits)));
    }

    [Fact]
    public void Every_number_reads_back_as_itself()
    {
        var random = new Random(3);
        for (var round = 0; round < 50_000; round++)
        {
            var value = BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue));
            if (double.IsFinite(value))
            {
                Assert.Equal(value, double.Parse(EcmaNumber.Text(value), System.Globalization.CultureInfo.InvariantCulture));
            }
        }
    }

    /// <summary>RFC 8785, section 3.2.2.</summary>
    [Fact]
    public void The_standards_example_of_values_comes_out_as_it_says()
    {
        Assert.Equal(
            """{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}""",
            Canonical(
                """
                {
                  "numbers": [333333333.33333329, 1E30, 4.50,
                              2e-3, 0.000000000000000000000000001],
                  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
                  "literals": [null, true, false]
                }
                """));
    }

    /// <summary>RFC 8785, section 3.2.3: by code units, so that a letter of two units comes before one of a single higher unit.</summary>
    [Fact]
    public void The_standards_example_of_order_comes_out_as_it_says()
    {
        using var document = JsonDocument.Parse(Canonical(
            """
            {
              "\u20ac": "Euro Sign",
              "\r": "Carriage Return",
              "\ufb33": "Hebrew Letter Dalet With Dagesh",
              "1": "One",
              "\ud83d\ude00": "Emoji: Grinning Face",
              "\u0080": "Control",
              "\u00f6": "Latin Small Letter O With Diaeresis"
            }
            """)!);

        Assert.Equal(
            ["Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign", "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh"],
            document.RootElement.EnumerateObject().Select(member => member.Value.GetString()));
    }

    [Theory]
    [InlineData("\"\\b\\t\\n\\f\\r\\u0000\\u001f\\u007f\\u2028\"", "\"\\b\\t\\n\\f\\r\\u0000\\u001f\u007f\u2028\"")]
    [InlineData(" [ ] ", "[]")]
    [InlineData("{ }", "{}")]
    [InlineData("[-0, 0.0, 1E+2]", "[0,0,100]")]
    public void Blanks_go_and_escapes_stay_only_where_they_must(string json, string canonical)
    {
        Assert.Equal(canonical, Canonical(json));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{} {}")]
    [InlineData("""{"a":1,"\u0061":1}""")]
    [InlineData("""["\ud800"]""")]
    [InlineData("""{"\udc00":1}""")]
    [InlineData("1e999")]
    public void What_has_no_canonical_form_gives_none(string json)
    {
        Assert.Null(Canonical(json));
    }

    /// <summary>
    /// Goal: however a value is spelled, its canonical form is one, and says the same.
    /// Method: random values, each written twice in different ways (order, blanks, escapes), and the form's own form.
    /// </summary>
    [Fact]
    public void All_spellings_of_a_value_have_one_form()
    {
        var random = new Random(4);
        for (var round = 0; round < 3_000; round++)
        {
            var value = RandomJson.Value(random, depth: 4);
            var form = Canonical(RandomJson.Spell(value, random));

            Assert.NotNull(form);
            Assert.Equal(form, Canonical(RandomJson.Spell(value, random)));
            Assert.Equal(form, Canonical(form));
            using var left = JsonDocument.Parse(RandomJson.Spell(value, random));
            using var right = JsonDocument.Parse(form);
            Assert.True(JsonElement.DeepEquals(left.RootElement, right.RootElement), form);
        }
    }

    private static string? Canonical(string json) => CanonicalJson.Of(Encoding.UTF8.GetBytes(json)) is { } form ? Encoding.UTF8.GetString(form) : null;
}
