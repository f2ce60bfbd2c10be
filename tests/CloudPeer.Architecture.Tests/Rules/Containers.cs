using System.Text.RegularExpressions;
using CloudPeer.Architecture.Tests.Sources;
using YamlDotNet.RepresentationModel;

namespace CloudPeer.Architecture.Tests.Rules;

/// <summary>What a self-hoster gets: pinned images, no default secret, no port open to the world, no process with privileges.</summary>
public static class Containers
{
    private static readonly Regex Secret = Pattern("PASSWORD|SECRET|TOKEN|PASSPHRASE|PRIVATE_KEY");
    private static readonly Regex RequiredVariable = Pattern(@"^\$\{[A-Z_]+:\?[^}]{20,}\}$");
    private static readonly Regex PasswordInUrl = Pattern(@"://[^:/@\s]+:(?<password>(\$\{[^}]*\}|[^@\s])+)@");
    private static readonly Regex SecretWithDefault = Pattern(@"\$\{[A-Z_]*(PASSWORD|SECRET|TOKEN|PASSPHRASE)[A-Z_]*:?-[^}]+\}");
    private static readonly Regex PinnedTag = Pattern(@"^[^:@]+:(\$\{[A-Z_]+:-)?\d+\.\d+[\w.-]*\}?$");

    /// <summary>Faults of a compose file.</summary>
    public static IEnumerable<string> ComposeFaults(SourceText compose)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(compose.Text));
        var services = Map(((YamlMappingNode)yaml.Documents[0].RootNode)["services"]);
        return services.SelectMany(service => ServiceFaults(service.Value)
            .Select(fault => $"{compose.Path}: {service.Key}: {fault}"));
    }

    /// <summary>Faults of a Dockerfile.</summary>
    public static IEnumerable<string> DockerfileFaults(SourceText dockerfile)
    {
        var instructions = dockerfile.Text.ReplaceLineEndings("\n").Replace("\\\n", " ", StringComparison.Ordinal).Split('\n')
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(words => words.Length > 1).ToList();
        foreach (var image in instructions.Where(words => words[0] is "FROM").Select(words => words[1]).Where(image => !IsPinned(image)))
            yield return $"{dockerfile.Path}: {image} is not pinned";

        var final = instructions.Skip(instructions.FindLastIndex(words => words[0] is "FROM")).ToList();
        if (final.LastOrDefault(words => words[0] is "USER")?[1] is null or "root" or "0")
            yield return $"{dockerfile.Path}: the last stage runs as root";
        if (!final.Any(words => words[0] is "HEALTHCHECK"))
            yield return $"{dockerfile.Path}: the last stage has no HEALTHCHECK";
    }

    /// <summary>Secrets that an example of settings gives a value, which people would then use.</summary>
    public static IEnumerable<string> ExampleSecrets(SourceText example) =>
        from line in example.Lines()
        let parts = line.Line.TrimStart('#', ' ').Split('=', 2)
        where parts.Length is 2 && Secret.IsMatch(parts[0]) && parts[1].Trim().Length > 0
        select $"{example.Path}:{line.Number}: {parts[0]} has a value";

    private static IEnumerable<string> ServiceFaults(YamlNode node)
    {
        var service = Map(node);
        var image = Text(service.GetValueOrDefault("image"));
        if (!IsPinned(image))
            yield return $"image {image} is not pinned";
        if (!service.ContainsKey("healthcheck") && !service.ContainsKey("build"))
            yield return "has no healthcheck";
        foreach (var port in Items(service.GetValueOrDefault("ports")).Where(port => !port.StartsWith("127.0.0.1:", StringComparison.Ordinal)))
            yield return $"port {port} is open to the world";
        foreach (var (name, value) in Environment(service.GetValueOrDefault("environment")))
        {
            if (Secret.IsMatch(name) && !name.EndsWith("_FILE", StringComparison.Ordinal) && !RequiredVariable.IsMatch(value))
                yield return $"{name} must be a variable that has to be set, with a sentence for whoever did not";
            if (SecretWithDefault.IsMatch(value))
                yield return $"{name} has a default secret";
            if (PasswordInUrl.Match(value) is { Success: true } url && !RequiredVariable.IsMatch(url.Groups["password"].Value))
                yield return $"{name} holds a password that is not a variable that has to be set";
        }
    }

    private static bool IsPinned(string image) => PinnedTag.IsMatch(image) || image.Contains("@sha256:", StringComparison.Ordinal);

    private static IEnumerable<(string Name, string Value)> Environment(YamlNode? node) => node is YamlSequenceNode
        ? Items(node).Select(item => item.Split('=', 2)).Select(parts => (parts[0], parts.ElementAtOrDefault(1) ?? string.Empty))
        : Map(node).Select(pair => (pair.Key, Text(pair.Value)));

    private static Dictionary<string, YamlNode> Map(YamlNode? node) => node is YamlMappingNode map
        ? map.Children.ToDictionary(pair => Text(pair.Key), pair => pair.Value, StringComparer.Ordinal)
        : [];

    private static IEnumerable<string> Items(YamlNode? node) => node is YamlSequenceNode sequence ? sequence.Children.Select(Text) : [];

    private static string Text(YamlNode? node) => (node as YamlScalarNode)?.Value ?? string.Empty;

    private static Regex Pattern(string pattern) =>
        new(pattern, RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5));
}
