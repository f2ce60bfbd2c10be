using System.Globalization;

namespace CloudPeer.Api.Hosting.Settings;

/// <summary>One setting of the server, as an operator writes it.</summary>
/// <param name="Name">Upper case with underscores, without the prefix.</param>
/// <param name="Default">The value when nothing is set; text in parentheses describes one that depends on others.</param>
/// <param name="Meaning">One line for a person.</param>
internal sealed record Setting(string Name, string Default, string Meaning)
{
    public const string Prefix = "CLOUDPEER_";

    /// <summary>The environment variable, such as <c>CLOUDPEER_HTTP_PORT</c>.</summary>
    public string Variable => Prefix + Name;

    /// <summary>The configuration key, such as <c>CloudPeer:HttpPort</c>.</summary>
    public string Key => "CloudPeer:" + string.Concat(Name.Split('_').Select(Capital));

    private static string Capital(string word) => word[..1] + word[1..].ToLower(CultureInfo.InvariantCulture);
}

/// <summary>A setting's value and where it comes from.</summary>
/// <param name="Setting">The setting.</param>
/// <param name="Value">The text as written, or the default.</param>
/// <param name="Origin">A person's words: <c>default</c>, an environment variable, or a configuration source.</param>
internal sealed record SettingValue(Setting Setting, string Value, string Origin);
