using System.Text.Json;

namespace Ccp.Metering;

/// <summary>Walking an object member by member, in the two steps every reader of the meter needs.</summary>
internal static class JsonMembers
{
    /// <summary>Goes from a member's name into its value.</summary>
    /// <returns>False, with the value passed over, when it is no object.</returns>
    public static bool TryEnterObject(this ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            return true;
        }

        reader.Skip();
        return false;
    }

    /// <summary>Goes on to the name of the next member of the object being walked; its value must be read or skipped before the next call.</summary>
    /// <returns>False at the object's end.</returns>
    public static bool ReadMember(this ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    /// <returns>Null, with the value passed over, when it is no string.</returns>
    public static string? ReadText(this ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
        {
            return reader.GetString();
        }

        reader.Skip();
        return null;
    }

    /// <returns>The bytes the string stands for; 0, with the value passed over, when it is no string.</returns>
    public static long ReadTextLength(this ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
        {
            return JsonText.DecodedLength(ref reader);
        }

        reader.Skip();
        return 0;
    }
}
