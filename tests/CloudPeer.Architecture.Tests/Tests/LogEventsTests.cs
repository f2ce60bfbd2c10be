using CloudPeer.Architecture.Tests.Rules;
using CloudPeer.Architecture.Tests.Sources;
using Xunit;

namespace CloudPeer.Architecture.Tests;

public sealed class LogEventsTests
{
    [Fact]
    public void Every_log_message_has_an_event_id_of_its_own() => Expect.None(LogEvents.Unclear(Repository.Code.Where(Own.IsNot)));

    [Fact]
    public void Two_messages_with_one_id_are_found_also_in_two_files() => Expect.One(
        LogEvents.Unclear([new("src/A/A.cs", "class A { [LoggerMessage(EventId = 7)] void M() { } }"), new("src/A/B.cs", "class B { [LoggerMessage(EventId = 7)] void M() { } }")]),
        "src/A/B.cs:1: the event id 7 is that of src/A/A.cs:1");

    [Fact]
    public void A_message_without_an_id_is_found() =>
        Expect.One(LogEvents.Unclear([new("src/A/A.cs", "class A { [LoggerMessage(Level = LogLevel.Error)] void M() { } }")]), "a log message has an event id");

    [Fact]
    public void Messages_with_ids_of_their_own_are_fine() =>
        Expect.None(LogEvents.Unclear([new("src/A/A.cs", "class A { [LoggerMessage(EventId = 7)] void M() { } [LoggerMessage(EventId = 8)] void N() { } }")]));
}
