using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Google.Protobuf.Reflection;
using Tlfs.Core;
using Xunit;

namespace CloudPeer.Sync.Tests.Wire;

/// <summary>The page that lists all calls and messages is the contract; the generated code is compared with it in both directions.</summary>
public sealed class ApiPageTests
{
    private static readonly ApiPage Page = ApiPage.Read();

    // Every .proto file is found, also one that is added later.
    private static readonly FileDescriptor[] Files =
    [
        .. typeof(V1.SyncReflection).Assembly.GetTypes()
            .Where(type => string.Equals(type.Namespace, typeof(V1.SyncReflection).Namespace, StringComparison.Ordinal) && type.Name.EndsWith("Reflection", StringComparison.Ordinal))
            .Select(type => (FileDescriptor)type.GetProperty("Descriptor")!.GetValue(null)!),
    ];

    [Fact]
    public void The_page_names_exactly_the_calls_of_the_code_with_what_goes_in_and_comes_out() => AssertSame(
        from file in Files
        from service in file.Services
        from call in service.Methods
        select $"{service.Name}.{call.Name}: {(call.IsClientStreaming ? "stream " : "")}{call.InputType.Name} -> {(call.IsServerStreaming ? "stream " : "")}{call.OutputType.Name}",
        Page.Calls.Select(call => $"{call.Service}.{call.Call}: {call.Shape}"));

    [Fact]
    public void The_page_names_exactly_the_messages_of_the_code() =>
        AssertSame(Files.SelectMany(file => file.MessageTypes).Select(message => message.Name), Page.MessageNames);

    [Fact]
    public void The_page_names_exactly_the_fields_of_the_code_with_number_and_type() => AssertSame(
        from file in Files
        from message in file.MessageTypes
        from field in message.Fields.InDeclarationOrder()
        select $"{message.Name}.{field.Name} = {field.FieldNumber}: {(field.IsRepeated ? "repeated " : "")}{TypeOf(field)}",
        Page.Fields);

    [Fact]
    public void Every_reason_that_is_sent_is_named_where_it_arises_and_no_other() => AssertSame(
        Enum.GetValues<Reason>().Where(reason => GrpcStatuses.Of(reason) is not null).Select(reason => reason.ToKebab()),
        Page.Calls.SelectMany(call => call.Reasons).Concat(Page.GeneralReasons).Distinct(StringComparer.Ordinal));

    private static string TypeOf(FieldDescriptor field) =>
        field.FieldType is FieldType.Message ? field.MessageType.Name : field.FieldType.ToString().ToLowerInvariant();

    // Says what is missing on each side, as it would stand there.
    private static void AssertSame(IEnumerable<string> code, IEnumerable<string> page)
    {
        List<string> written = [.. page], known = [.. code];
        Assert.Equal(written.Count, written.Distinct(StringComparer.Ordinal).Count());
        Assert.Empty(known.Except(written, StringComparer.Ordinal).Select(missing => $"the page lacks {missing}"));
        Assert.Empty(written.Except(known, StringComparer.Ordinal).Select(wrong => $"the page has {wrong}"));
    }
}
