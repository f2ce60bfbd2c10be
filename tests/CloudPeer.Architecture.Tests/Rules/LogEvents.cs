using CloudPeer.Architecture.Tests.Sources;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace CloudPeer.Architecture.Tests.Rules;

/// <summary>Operators find a log message by its event id, so each message has one of its own.</summary>
public static class LogEvents
{
    /// <summary>Log messages without an event id, and those with the id of another one.</summary>
    public static IEnumerable<string> Unclear(IEnumerable<SourceText> code)
    {
        var messages = code.SelectMany(file => file.Root.DescendantNodes().OfType<AttributeSyntax>()
            .Where(attribute => attribute.Name.ToString() is "LoggerMessage").Select(attribute => (Place: file.At(attribute), Id: IdOf(attribute)))).ToList();
        foreach (var (place, _) in messages.Where(message => message.Id is null)) yield return $"{place}: a log message has an event id";
        foreach (var same in messages.Where(message => message.Id is not null).GroupBy(message => message.Id, StringComparer.Ordinal).Where(group => group.Count() > 1))
            yield return $"{same.Last().Place}: the event id {same.Key} is that of {same.First().Place}";
    }

    private static string? IdOf(AttributeSyntax attribute) =>
        attribute.ArgumentList?.Arguments.FirstOrDefault(argument => argument.NameEquals?.Name.Identifier.ValueText is "EventId")?.Expression.ToString();
}
